-- Decides one guess; a right one ends the verification and makes the session, at once.
--
-- KEYS[1]  the phone's record
-- KEYS[2]  the session to make, in the same slot
-- ARGV[1]  JSON {offset_ms, limits, op, id, storefront, right, session?, session_ms?}
--          op          names this request: run again at once, it gives the same answer
--          storefront  names who asks; another's verification is gone for it
--          right       whether the guess equals the derived code
--          session     the session's value; without it none is made
-- returns  JSON answer; outcome verified | wrong | exhausted | locked | gone, with
--          first_login and sends, all messages as the record has them (when verified)
--
-- The guess is counted before anything is done with it. Nothing here knows the code.

local record = load_record()
local verification = record.verifications[request.id]

local function reply(outcome)
  local result = answer(outcome, record, verification)
  result.first_login = verification and verification.first_login
  if outcome == 'verified' then result.sends, result.at_ms = verification.sends, now end
  return cjson.encode(result)
end

if verification and verification.storefront ~= request.storefront then
  verification = nil
end
if verification and verification.check_op == request.op then
  return reply(verification.state == 'verified' and 'verified' or 'wrong')
end
local state = state_of(verification)
if state == 'exhausted' then return reply('exhausted') end
if state ~= 'pending' then return reply('gone') end
if lock_wait(record) > 0 then return reply('locked') end

verification.left = verification.left - 1
verification.check_op = request.op

if request.right then
  verification.state = 'verified'
  record.in_a_row, record.streak, record.cooldown_until = 0, 0, nil
  if request.session then
    verification.first_login = record.logged_in_at == nil
    record.logged_in_at = now
    redis.call('SET', KEYS[2], request.session, 'PX', request.session_ms)
  end
  save_record(record)
  return reply('verified')
end

table.insert(record.wrongs, now)
record.in_a_row = (record.in_a_row or 0) + 1
for _, rung in ipairs(limits.locks) do
  if record.in_a_row == rung[1] then record.locked_until = now + rung[2] end
end
if verification.left <= 0 then verification.state = 'exhausted' end
save_record(record)
return reply('wrong')
