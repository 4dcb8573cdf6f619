-- Tells what was decided about a person.
--
-- KEYS[1]  the phone's sessions
-- KEYS[2]  the person's record
-- ARGV[1]  JSON {offset_ms}
-- returns  JSON {person}

return cjson.encode({ person = load_person(KEYS[2]) })
