-- Tells how a verification stands; changes nothing.
--
-- KEYS[1]  the phone's record
-- ARGV[1]  JSON {offset_ms, limits, id}
-- returns  JSON answer; outcome is the state: pending | verified | expired |
--          exhausted | none

local record = load_record()
local verification = record.verifications[request.id]
return cjson.encode(answer(state_of(verification), record, verification))
