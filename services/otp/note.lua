-- Notes what the vendor calls a message, for the report on whether it was of use.
--
-- KEYS[1]  the phone's record
-- ARGV[1]  JSON {offset_ms, limits, id, attempt, message_id}
-- returns  JSON {}

local record = load_record()
local verification = record.verifications[request.id]
local sent = verification and verification.sends[request.attempt]
if sent then
  sent[5] = request.message_id
  save_record(record)
end
return '{}'
