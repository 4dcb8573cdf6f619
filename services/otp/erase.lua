-- Forgets a phone: its verifications, its limits, its logins.
--
-- KEYS[1]  the phone's record
-- ARGV[1]  JSON {}
-- returns  JSON {}

redis.call('DEL', KEYS[1])
return '{}'
