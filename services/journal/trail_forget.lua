-- Forgets what happened to a phone.
--
-- KEYS[1]  the phone's trail
-- ARGV[1]  JSON {}
-- returns  JSON {}

redis.call('DEL', KEYS[1])
return '{}'
