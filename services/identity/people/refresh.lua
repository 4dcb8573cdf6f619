-- Uses up a refresh token: its counter must be the session's, or the one before while
-- the answer to that may be lost.
--
-- KEYS[1]  the phone's sessions
-- KEYS[2]  the person's record
-- ARGV[1]  JSON {offset_ms, rules, id, counter, again_ms, client?, scopes?, not_after_ms?}
--          id        the session's random part
--          again_ms  how long the counter before gets the same answer again
--          client    whose the session must be; unless it is told, a service client's
--                    is unproven (RFC 6749 6 wants those to prove who they are)
--          scopes    must all be the session's
--          not_after_ms  when nobody waits for the answer any more, by Redis's own clock
-- returns  JSON {outcome}: gone, foreign, unproven, frozen, reused (the session ended
--          now), denied (a scope); or rotated or again, with the session, the person's
--          roles and coming_from. {late} and nothing done after not_after_ms: a token
--          that is used up without an answer is taken for a thief's when it comes again
--
-- Run again with the same arguments it answers the same: the counter has just become
-- the one before.

local request = cjson.decode(ARGV[1])
local rules = request.rules
local now = clock(request.offset_ms)
if request.not_after_ms and clock(0) > request.not_after_ms then return '{"late":true}' end

local sessions = load_sessions(KEYS[1], now, rules)
local session, person = sessions[request.id], load_person(KEYS[2])

local function reply(outcome)
  return cjson.encode(answer_with(outcome, request.id, session, person, now, rules))
end

local function is_granted(scopes)
  local granted = ' ' .. (session.scope or '') .. ' '
  for _, scope in ipairs(scopes) do
    if not string.find(granted, ' ' .. scope .. ' ', 1, true) then return false end
  end
  return true
end

if not session then return cjson.encode({ outcome = 'gone' }) end
if request.client and session.client ~= request.client then
  return cjson.encode({ outcome = 'foreign' })
end
if not request.client and string.sub(session.client, 1, 4) == 'svc-' then
  return cjson.encode({ outcome = 'unproven' })
end
if person.frozen then return cjson.encode({ outcome = 'frozen' }) end

local n = session.n or 0
local is_again = request.counter == n - 1 and now - session.used < request.again_ms
if request.counter < n and not is_again then
  sessions[request.id] = nil
  save_sessions(KEYS[1], sessions, now, rules)
  return cjson.encode({ outcome = 'reused' })
end
if not is_granted(request.scopes or {}) then return cjson.encode({ outcome = 'denied' }) end
if is_again then return reply('again') end
-- A counter above ours is one of ours all the same: Redis has lost its last second.
session.n, session.used = request.counter + 1, now
save_sessions(KEYS[1], sessions, now, rules)
return reply('rotated')
