-- Takes a message off the list of those that somebody looks at again.
--
-- KEYS[1]  the list, a sorted set by the time to look
-- ARGV[1]  JSON {offset_ms, member}
-- returns  JSON {}

local request = cjson.decode(ARGV[1])
redis.call('ZREM', KEYS[1], request.member)
return '{}'
