-- Forgets that anybody ever logged in with a phone; its limits stay.
--
-- KEYS[1]  the phone's record
-- ARGV[1]  JSON {offset_ms, limits}
-- returns  JSON {}

local record = load_record()
if record.logged_in_at then
  record.logged_in_at = nil
  save_record(record)
end
return '{}'
