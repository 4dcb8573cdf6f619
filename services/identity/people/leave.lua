-- Parts a person from a phone: its next holder is somebody else, nothing of this one is
-- left to them, and all sessions end.
--
-- KEYS[1]  the phone's sessions
-- KEYS[2]  the person's record
-- ARGV[1]  JSON {default, generation, next, sub?, to?, keep_frozen?}
--          default     who holds the phone unless the record says otherwise
--          generation  the record's, as it was when `next` was made
--          next        the subject of the next holder
--          sub, to     who goes, and to which phone; without them whoever is here
--          keep_frozen  a freeze stays with the phone
-- returns  JSON {outcome}: again (another generation by now); or left, with `ended`
--          sessions, and to, roles and frozen of who went
--
-- Run again it changes nothing: who went is in the record, and so is who comes next.

local request = cjson.decode(ARGV[1])
local person = load_person(KEYS[2])
local sub, to = request.sub, request.to

person.moved = person.moved or {}
if sub and person.moved[sub] then
  return cjson.encode({ outcome = 'left', ended = 0, to = person.moved[sub] })
end
if sub and (person.sub or request.default) ~= sub then
  -- The number was given to somebody else first. Where they went is true all the same.
  person.moved[sub] = to
  save_person(KEYS[2], person)
  return cjson.encode({ outcome = 'left', ended = 0, to = to })
end
if person.sub == request.next then
  return cjson.encode({ outcome = 'left', ended = 0 })
end
if (person.generation or 0) ~= request.generation then
  return cjson.encode({ outcome = 'again' })
end

local result = {
  outcome = 'left', ended = 0, to = to, roles = person.roles, frozen = person.frozen,
}
if sub then person.moved[sub] = to end
save_person(KEYS[2], {
  sub = request.next,
  generation = request.generation + 1,
  moved = person.moved,
  frozen = request.keep_frozen and person.frozen or nil,
})
local stored = redis.call('GET', KEYS[1])
if stored then
  for _ in pairs(cjson.decode(stored).sessions) do result.ended = result.ended + 1 end
  redis.call('DEL', KEYS[1])
end
return cjson.encode(result)
