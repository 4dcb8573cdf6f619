-- Starts a verification or a resend of one, if the phone's limits allow a send.
--
-- KEYS[1]  the phone's record
-- ARGV[1]  JSON {offset_ms, limits, op, id, resend_of?, storefront, plans, channels}
--          op          names this request: running it again changes nothing
--          id          the new verification's, if one is made
--          resend_of   the verification to send again
--          storefront  names who asks; a verification is its storefront's alone
--          plans       [channel, providers] in the order to prefer, and providers
--                      [name, delivery, senders] so too; delivery is the status that
--                      its acceptance means, senders how many it can send from
--          channels    those that this phone's country has at all
-- returns  JSON answer; outcome started | resent | limited | closed | gone, with
--          id, provider (the one to try first), uses (before, by channel and name),
--          limit (when limited), reason (when closed)

local record = load_record()
local resend_of = request.resend_of
local id = resend_of or request.id
local verification = record.verifications[id]
local chosen, channel, uses

local function reply(outcome, limit, reason)
  local result = answer(outcome, record, verification)
  result.id, result.limit, result.reason, result.uses = id, limit, reason, uses
  return cjson.encode(result)
end

for _, made in ipairs({ request.id, resend_of }) do
  local before = record.verifications[made]
  if before and before.send_op == request.op then
    id, verification = made, before
    uses = count_uses(before, #before.sends - 1)
    return reply(#before.sends > 1 and 'resent' or 'started')
  end
end
if resend_of and not (state_of(verification) == 'pending'
    and verification.storefront == request.storefront) then
  return reply('gone')
end

local only = #request.plans == 1 and request.plans[1][1]
if only and closed_by(record, only) then
  return reply('closed', nil, closed_by(record, only))
end
local wait, limit = send_wait(record)
if only == 'voice' then
  local for_call, by = voice_wait(record)
  if for_call then
    wait, limit = for_call, by
  elseif wait == 0 then
    return reply('closed', nil, 'no_message_yet')
  end
end
if wait > 0 then return reply('limited', limit) end

-- Drops the oldest of the live or of the ended verifications while there are too many.
local function make_room(live, most)
  local found = {}
  for other, it in pairs(record.verifications) do
    if (state_of(it) == 'pending') == live then found[#found + 1] = other end
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
    storefront = request.storefront,
  }
  make_room(true, limits.max_live)
  make_room(false, limits.max_ended)
  record.verifications[id] = verification
end

chosen, channel, uses = choose(record, verification, request.plans)
if not chosen then return reply('closed', nil, closed_by(record, request.plans[1][1])) end

local last = record.sends[#record.sends]
if not last or now - last > limits.calm_ms then record.streak = 0 end
record.streak = (record.streak or 0) + 1
local rungs = #limits.cooldowns
if rungs > 0 then
  record.cooldown_until = now + limits.cooldowns[math.min(record.streak, rungs)]
end
verification.channels = request.channels
add_send(record, verification, chosen, channel)
save_record(record)
return reply(resend and 'resent' or 'started')
