-- Takes down how one message fares, and plans another where that one failed.
--
-- KEYS[1]  the phone's record
-- ARGV[1]  JSON {offset_ms, limits, op, id, attempt, status?, close?, plans?,
--          admitted_ms?}
--          op       names this request: running it again changes nothing
--          id       the verification's
--          attempt  which of its messages, from 1
--          status   how it fares now; without it nothing is known but that time passed
--          close    [{channel, ms, reason}]: nothing more there for so long. That a
--                   number is dead counts only while the code is pending and no other
--                   message arrived on the channel
--          plans    as in the start: whom to ask next, if not used yet, once in a
--                   verification, unless the message arrived, another was sent since,
--                   or a cap is reached
--          admitted_ms  as in the start
-- returns  JSON answer; outcome moved | followed | same | gone; with followed:
--          provider, channel and uses of the message to send now

local LEVELS = { accepted = 1, unknown = 2, sent = 3, undelivered = 4, delivered = 5 }

local record = load_record()
local verification = record.verifications[request.id]
local sent = verification and verification.sends[request.attempt]
local budget = budget_of(record, verification and verification.device)
if not sent then return cjson.encode(answer('gone', record, verification, budget)) end

local uses
local function reply(outcome)
  local result = answer(outcome, record, verification, budget)
  result.id, result.uses = request.id, uses
  return cjson.encode(result)
end

if verification.send_op == request.op then
  uses = count_uses(verification, #verification.sends - 1)
  return reply('followed')
end

local moved = false
if request.status then
  -- A receipt that came late, or twice, says nothing new.
  moved = LEVELS[request.status] > (LEVELS[sent[2]] or LEVELS.accepted)
  if not moved then return reply('same') end
  sent[2] = request.status
end

-- The phone is there for all that, whatever this message met.
local function is_reached()
  if state_of(verification) ~= 'pending' then return true end
  for _, it in ipairs(verification.sends) do
    if it[2] == 'delivered' and it[3] == sent[3] then return true end
  end
  return false
end
local closings = {}
for _, closing in ipairs(request.close or {}) do
  if closing.reason == 'opted_out' or not is_reached() then
    closings[#closings + 1] = closing
  end
end
if #closings > 0 then
  close(record, closings)
  budget.cooldown_until = nil  -- Another channel may be tried at once.
end

local function may_follow()
  return request.plans and not verification.followed
    and sent[2] ~= 'delivered' and #verification.sends == request.attempt
    and state_of(verification) == 'pending'
    and verification.expires - now >= limits.min_life_ms
    and not is_disabled(budget)
    and lock_wait(budget) == 0 and window_wait(budget.sends, limits.sends) == 0
end

local outcome = moved and 'moved' or 'same'
if may_follow() then
  local chosen, channel
  chosen, channel, uses = choose(record, verification, request.plans, true)
  if chosen then
    verification.followed = true
    add_send(budget, verification, chosen, channel)
    outcome = 'followed'
  end
end
if outcome ~= 'same' or #closings > 0 then save_record(record) end
return reply(outcome)
