-- Writes down what an operator decided about a person.
--
-- KEYS[1]  the phone's sessions
-- KEYS[2]  the person's record
-- ARGV[1]  JSON {offset_ms, freeze?, thaw?, grant?, take?, forget?}
--          freeze  why; the first reason and time stand
--          grant   a role to give; take, one to take away
--          forget  a subject of which nothing is to be known that went from here
-- returns  JSON {changed, to?}: whether anything did, and where the forgotten one went

local request = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) + request.offset_ms

local person = load_person(KEYS[2])
local changed, to = false, nil

if request.freeze and not person.frozen then
  person.frozen, changed = { at = now, reason = request.freeze }, true
end
if request.thaw and person.frozen then person.frozen, changed = nil, true end
if request.grant or request.take then
  local roles, had = {}, false
  for _, role in ipairs(person.roles or {}) do
    had = had or role == (request.grant or request.take)
    if role ~= request.take then roles[#roles + 1] = role end
  end
  if request.grant and not had then roles[#roles + 1] = request.grant end
  changed = had == (request.take ~= nil)
  person.roles = roles
end
if request.forget and person.moved and person.moved[request.forget] then
  to, changed = person.moved[request.forget], true
  person.moved[request.forget] = nil
end

if changed then save_person(KEYS[2], person) end
return cjson.encode({ changed = changed, to = to })
