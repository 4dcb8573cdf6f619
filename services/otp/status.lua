-- Tells how a verification stands; changes nothing.
--
-- KEYS[1]  the phone's record
-- ARGV[1]  JSON {offset_ms, limits, id?}
--          id  without it, the phone's newest verification is told
-- returns  JSON answer; outcome is the state: pending | verified | expired |
--          exhausted | none

local record = load_record()
local verification = request.id and record.verifications[request.id]
if not request.id then
  for _, other in pairs(record.verifications) do
    if not verification or other.expires > verification.expires then verification = other end
  end
end
local budget = budget_of(record, verification and verification.device)
return cjson.encode(answer(state_of(verification), record, verification, budget))
