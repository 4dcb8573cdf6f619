-- Forgets who held a phone: the codes they asked for, their login and with it their
-- devices. Its limits stay.
--
-- KEYS[1]  the phone's record
-- ARGV[1]  JSON {offset_ms, limits}
-- returns  JSON {}

local record = load_record()
if record.logged_in_at or next(record.verifications) then
  record.logged_in_at, record.known_since = nil, nil
  record.verifications = {}
  save_record(record)
end
return '{}'
