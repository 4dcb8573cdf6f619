-- Ends one session of a person, or all.
--
-- KEYS[1]  the phone's sessions
-- KEYS[2]  the person's record
-- ARGV[1]  JSON {offset_ms, rules, id?}
--          id  the session's random part; without it all end
-- returns  JSON {ended}: how many lived

local request = cjson.decode(ARGV[1])
local rules = request.rules
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) + request.offset_ms

local sessions = load_sessions(KEYS[1], now, rules)
local ended = 0
for id in pairs(sessions) do
  if not request.id or id == request.id then
    sessions[id] = nil
    ended = ended + 1
  end
end
if ended > 0 then save_sessions(KEYS[1], sessions, now, rules) end
return cjson.encode({ ended = ended })
