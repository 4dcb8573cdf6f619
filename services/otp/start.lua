-- Starts a verification or a resend of one, if the phone's limits allow a send.
--
-- KEYS[1]  the phone's record
-- ARGV[1]  JSON {offset_ms, limits, op, id, resend_of?, storefront, plans, channels,
--          device_at?, uncounted?, admitted_ms?}
--          op          names this request: running it again changes nothing
--          id          the new verification's, if one is made
--          resend_of   the verification to send again
--          storefront  names who asks; a verification is its storefront's alone
--          plans       [channel, providers] in the order to prefer, and providers
--                      [name, delivery, senders] so too; delivery is the status that
--                      its acceptance means, senders how many it can send from
--          channels    those that this phone's country has at all
--          device_at   when the device was told that the phone logged in on it
--          uncounted   a rule that only watches would not have let it pass
--          admitted_ms when the shared rules let it pass
-- returns  JSON answer; outcome started | resent | limited | closed | disabled | gone,
--          with id, provider (the one to try first), uses (before, by channel and name),
--          limit (when limited), reason (when closed)

local record = load_record()
local resend_of = request.resend_of
local id = resend_of or request.id
local verification = record.verifications[id]
local chosen, channel, uses

-- A resend is bound by what bound the first send: whoever holds the id may go on with it.
local by_device = is_known(record)
if resend_of and verification then by_device = verification.device end
local budget = budget_of(record, by_device)

local function reply(outcome, limit, reason)
  local result = answer(outcome, record, verification, budget)
  result.id, result.limit, result.reason, result.uses = id, limit, reason, uses
  return cjson.encode(result)
end

for _, made in ipairs({ request.id, resend_of }) do
  local before = record.verifications[made]
  if before and before.send_op == request.op then
    id, verification = made, before
    budget = budget_of(record, before.device)
    uses = count_uses(before, #before.sends - 1)
    return reply(#before.sends > 1 and 'resent' or 'started')
  end
end
if resend_of and not (state_of(verification) == 'pending'
    and verification.storefront == request.storefront) then
  return reply('gone')
end

if is_disabled(budget) then return reply('disabled') end
local only = #request.plans == 1 and request.plans[1][1]
if only and closed_by(record, only) then
  return reply('closed', nil, closed_by(record, only))
end
local wait, limit = send_wait(budget)
if only == 'voice' then
  local for_call, by = voice_wait(record, budget, request.channels)
  if for_call then
    wait, limit = for_call, by
  elseif wait == 0 then
    return reply('closed', nil, 'no_message_yet')
  end
end
if wait > 0 then return reply('limited', limit) end

-- Drops the oldest of the live or of the ended verifications while there are too many.
-- Strangers must not push out what the known device waits for.
local function make_room(live, most)
  local found = {}
  for other, it in pairs(record.verifications) do
    local same_budget = (it.device or false) == (by_device or false)
    if same_budget and (state_of(it) == 'pending') == live then found[#found + 1] = other end
  end
  table.sort(found, function(a, b)
    return record.verifications[a].expires < record.verifications[b].expires
  end)
  for i = 1, #found - most + 1 do record.verifications[found[i]] = nil end
end

-- With too little life left a text would arrive to a dead code: begin anew instead.
local resend = resend_of and verification.expires - now >= limits.min_life_ms
if not resend then
  id = request.id
  verification = {
    expires = now + limits.life_ms, left = limits.max_checks, sends = {},
    storefront = request.storefront, device = by_device or nil,
    uncounted = request.uncounted,
  }
  make_room(true, limits.max_live)
  make_room(false, limits.max_ended)
  record.verifications[id] = verification
end

chosen, channel, uses = choose(record, verification, request.plans)
if not chosen then return reply('closed', nil, closed_by(record, request.plans[1][1])) end

local last = budget.sends[#budget.sends]
if not last or now - last > limits.calm_ms then budget.streak = 0 end
budget.streak = (budget.streak or 0) + 1
local rungs = #limits.cooldowns
if rungs > 0 then
  budget.cooldown_until = now + limits.cooldowns[math.min(budget.streak, rungs)]
end
verification.channels = request.channels
if not request.uncounted then verification.uncounted = nil end
add_send(budget, verification, chosen, channel)
save_record(record)
return reply(resend and 'resent' or 'started')
