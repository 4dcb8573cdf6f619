-- Ends one session of a person, or all.
--
-- KEYS[1]  the phone's sessions
-- KEYS[2]  the person's record
-- ARGV[1]  JSON {offset_ms, rules, id?, client?}
--          id      the session's random part; without it all end
--          client  whose the session must be; another's stays
-- returns  JSON {ended, foreign}: how many lived, and how many stay

local request = cjson.decode(ARGV[1])
local rules = request.rules
local now = clock(request.offset_ms)

local sessions = load_sessions(KEYS[1], now, rules)
local ended, foreign = 0, 0
for id in pairs(sessions) do
  if not request.id or id == request.id then
    if request.client and sessions[id].client ~= request.client then
      foreign = foreign + 1
    else
      sessions[id] = nil
      ended = ended + 1
    end
  end
end
if ended > 0 then save_sessions(KEYS[1], sessions, now, rules) end
return cjson.encode({ ended = ended, foreign = foreign })
