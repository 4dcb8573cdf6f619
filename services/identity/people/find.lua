-- Tells one session of a person, or all that live.
--
-- KEYS[1]  the phone's sessions
-- KEYS[2]  the person's record
-- ARGV[1]  JSON {offset_ms, rules, id?}
--          id  the session's random part; without it all are told
-- returns  JSON {frozen, roles?, coming_from?, sessions: [{id, session, at_ms, ends_ms}]}

local request = cjson.decode(ARGV[1])
local rules = request.rules
local now = clock(request.offset_ms)

local person = load_person(KEYS[2])
local found = {}
for id, session in pairs(load_sessions(KEYS[1], now, rules)) do
  if not request.id or id == request.id then
    found[#found + 1] = show(id, session, now, rules)
  end
end
return cjson.encode({
  frozen = person.frozen ~= nil,
  roles = person.roles,
  coming_from = person.coming_from,
  sessions = found,
})
