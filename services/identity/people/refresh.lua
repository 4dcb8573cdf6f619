-- Uses up a refresh token: its counter must be the session's, or the one before while
-- the answer to that may be lost.
--
-- KEYS[1]  the phone's sessions
-- KEYS[2]  the person's record
-- ARGV[1]  JSON {offset_ms, rules, id, counter, again_ms, client?}
--          id        the session's random part
--          again_ms  how long the counter before gets the same answer again
--          client    whose the session must be; unless it is told, a service client's
--                    is foreign (RFC 6749 6 wants those to prove who they are)
-- returns  JSON {outcome}: gone, foreign, frozen, reused (the session ended now); or
--          rotated or again, with the session, the person's roles and coming_from
--
-- Run again with the same arguments it answers the same: the counter has just become
-- the one before.

local request = cjson.decode(ARGV[1])
local rules = request.rules
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) + request.offset_ms

local sessions = load_sessions(KEYS[1], now, rules)
local session, person = sessions[request.id], load_person(KEYS[2])

local function reply(outcome)
  return cjson.encode(answer_with(outcome, request.id, session, person, now, rules))
end

if not session then return cjson.encode({ outcome = 'gone' }) end
local client = request.client
if not client and string.sub(session.client, 1, 4) ~= 'svc-' then client = session.client end
if session.client ~= client then return cjson.encode({ outcome = 'foreign' }) end
if person.frozen then return cjson.encode({ outcome = 'frozen' }) end

local n = session.n or 0
if request.counter == n - 1 and now - session.used < request.again_ms then
  return reply('again')
end
if request.counter < n then
  sessions[request.id] = nil
  save_sessions(KEYS[1], sessions, now, rules)
  return cjson.encode({ outcome = 'reused' })
end
-- A counter above ours is one of ours all the same: Redis has lost its last second.
session.n, session.used = request.counter + 1, now
save_sessions(KEYS[1], sessions, now, rules)
return reply('rotated')
