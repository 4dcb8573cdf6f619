-- Forgets who held a phone: the codes they asked for and their login. Its limits stay.
--
-- KEYS[1]  the phone's record
-- ARGV[1]  JSON {offset_ms, limits}
-- returns  JSON {}

local record = load_record()
if record.logged_in_at or next(record.verifications) then
  record.logged_in_at = nil
  record.verifications = {}
  save_record(record)
end
return '{}'
