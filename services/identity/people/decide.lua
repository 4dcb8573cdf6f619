-- Writes down what an operator decided about a person.
--
-- KEYS[1]  the person's record
-- ARGV[1]  JSON {offset_ms, freeze?, thaw?, grant?, take?, forget?}
--          freeze  why; the first reason and time stand
--          grant   a role to give; take, one to take away
--          forget  a subject of which nothing is to be known that went from here
-- returns  JSON {changed, to?}: whether anything did, and where the forgotten one went

local request = cjson.decode(ARGV[1])
local person = load_person(KEYS[1])
local changed, to = false, nil

local function index_of(wanted)
  for i, role in ipairs(person.roles or {}) do
    if role == wanted then return i end
  end
end

if request.freeze and not person.frozen then
  person.frozen, changed = { at = clock(request.offset_ms), reason = request.freeze }, true
end
if request.thaw and person.frozen then person.frozen, changed = nil, true end
if request.grant and not index_of(request.grant) then
  person.roles = person.roles or {}
  table.insert(person.roles, request.grant)
  changed = true
end
if request.take and index_of(request.take) then
  table.remove(person.roles, index_of(request.take))
  changed = true
end
if request.forget and person.moved and person.moved[request.forget] then
  to, changed = person.moved[request.forget], true
  person.moved[request.forget] = nil
end

if changed then save_person(KEYS[1], person) end
return cjson.encode({ changed = changed, to = to })
