-- Decides one guess; a right one ends the verification and wins its prize, at once.
--
-- KEYS[1]  the phone's record
-- KEYS[2]  and on: what the prize needs, in the same slot
-- ARGV[1]  JSON {offset_ms, limits, op, id, storefront, prize?, not_after_ms}
--          op          names this request: run again at once, it gives the same answer
--          storefront  names who asks; another's verification is gone for it
--          prize       what a guess that equals the derived code wins; without it the
--                      guess was wrong
--          not_after_ms  when whoever asks gives up, by Redis's own clock
-- returns  JSON {late} when that is over, and nothing happened; else the answer: outcome verified |
--          wrong | exhausted | locked | disabled | gone; when verified with first_login,
--          won, sends (all messages as the record has them), at_ms, by_device and
--          uncounted, as the verification was started; when wrong with disabled_now, if
--          it was the last one for which the phone was not disabled, and since_right,
--          how many there were in a row then
--
-- Wrong checks count in the budget that the verification was started in: its id is the
-- authority. The guess is counted before anything is done with it. Nothing here knows the code, nor
-- what is won: `on_win(prize, facts)` stands in front. It is given what is known of the
-- phone, returns what is to be told, and whether that is a login; called again with the
-- same prize it must return the same.

if now - request.offset_ms > request.not_after_ms then return '{"late":true}' end
local record = load_record()
local verification = record.verifications[request.id]
if verification and verification.storefront ~= request.storefront then
  verification = nil
end
local budget = budget_of(record, verification and verification.device)

local function reply(outcome)
  local result = answer(outcome, record, verification, budget)
  result.first_login = verification and verification.first_login
  if outcome == 'verified' then
    result.sends, result.at_ms = verification.sends, now
    result.by_device, result.uncounted = verification.device, verification.uncounted
  elseif outcome == 'wrong' and is_disabled(budget) then
    result.disabled_now, result.since_right = true, budget.since_right
  end
  return result
end

local function win()
  local last = verification.sends[#verification.sends] or {}
  local facts = { now = now, channel = last[3], logged_in_at = record.logged_in_at }
  return on_win(request.prize, facts)
end

if verification and verification.check_op == request.op then
  if verification.state ~= 'verified' then return cjson.encode(reply('wrong')) end
  local result = reply('verified')
  result.won = win()
  return cjson.encode(result)
end
local state = state_of(verification)
if state == 'exhausted' then return cjson.encode(reply('exhausted')) end
if state ~= 'pending' then return cjson.encode(reply('gone')) end
if is_disabled(budget) then return cjson.encode(reply('disabled')) end
if lock_wait(budget) > 0 then return cjson.encode(reply('locked')) end

verification.left = verification.left - 1
verification.check_op = request.op

if request.prize then
  verification.state = 'verified'
  budget.in_a_row, budget.streak, budget.cooldown_until = 0, 0, nil
  -- Whoever has the phone in hand ends the row, also where strangers brought it so far.
  record.since_right = nil
  if record.device then record.device.since_right = nil end
  local won, is_login = win()
  if is_login then
    verification.first_login = record.logged_in_at == nil
    record.logged_in_at = now
    -- In whole seconds, as what devices are told.
    record.known_since = record.known_since or now - now % 1000
  end
  save_record(record)
  local result = reply('verified')
  result.won = won
  return cjson.encode(result)
end

table.insert(budget.wrongs, now)
budget.in_a_row = (budget.in_a_row or 0) + 1
budget.since_right = (budget.since_right or 0) + 1
for _, rung in ipairs(limits.locks) do
  if budget.in_a_row == rung[1] then budget.locked_until = now + rung[2] end
end
if verification.left <= 0 then verification.state = 'exhausted' end
save_record(record)
return cjson.encode(reply('wrong'))
