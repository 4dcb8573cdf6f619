-- Gives a person who came from another phone what they had there.
--
-- KEYS[1]  the person's record
-- ARGV[1]  JSON {sub, from, roles, frozen?, done}
--          sub, from  who came, and from which phone
--          roles      granted to them there
--          frozen     {at, reason}, where they are
--          done       nothing is left of them there
-- returns  JSON {outcome}: arrived, or gone (they are not coming, or came already)

local request = cjson.decode(ARGV[1])
local person = load_person(KEYS[1])
if person.sub ~= request.sub or person.coming_from ~= request.from then
  return cjson.encode({ outcome = 'gone' })
end

local has = {}
person.roles = person.roles or {}
for _, role in ipairs(person.roles) do has[role] = true end
for _, role in ipairs(request.roles) do
  if not has[role] then table.insert(person.roles, role) end
end
person.frozen = person.frozen or request.frozen
if request.done then person.coming_from = nil end
save_person(KEYS[1], person)
return cjson.encode({ outcome = 'arrived' })
