-- Tells what was decided about a person.
--
-- KEYS[1]  the person's record
-- ARGV[1]  JSON {}
-- returns  JSON {person}

return cjson.encode({ person = load_person(KEYS[1]) })
