-- Corrects a start whose send did not go as planned.
--
-- KEYS[1]  the phone's record
-- ARGV[1]  JSON {offset_ms, limits, op, id, sent?, keep_count, keep_cooldown, close?}
--          op, id         as in the start
--          sent           [name, delivery, channel] of who took it, when not as
--                         planned; without it nothing took it: the send is undone,
--                         and a verification that never had one accepted is removed
--          keep_count     it stays counted as a send (a message may have left)
--          keep_cooldown  the wait for the next one stays (the recipient is the cause, or
--                         this send took none)
--          close          [{channel, ms, reason}]: nothing more there for so long
-- returns  JSON answer; outcome settled, or gone when it was settled before

local record = load_record()
local verification = record.verifications[request.id]
local budget = budget_of(record, verification and verification.device)
if not verification or verification.send_op ~= request.op then
  return cjson.encode(answer('gone', record, verification, budget))
end

close(record, request.close or {})
if request.sent then
  local sent = verification.sends[#verification.sends]
  sent[1], sent[2], sent[3] = unpack(request.sent)
else
  table.remove(verification.sends)
  verification.send_op = nil
  if #verification.sends == 0 then
    record.verifications[request.id] = nil
    verification = nil
  end
  if not request.keep_count then table.remove(budget.sends) end
  if not request.keep_cooldown then
    budget.streak = math.max(0, (budget.streak or 1) - 1)
    budget.cooldown_until = nil
  end
end
save_record(record)
return cjson.encode(answer('settled', record, verification, budget))
