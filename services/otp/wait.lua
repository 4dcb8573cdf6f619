-- Puts a message on the list of those that somebody looks at again.
--
-- KEYS[1]  the list, a sorted set by the time to look
-- ARGV[1]  JSON {offset_ms, wait_ms, ttl_ms, member}
-- returns  JSON {}

local request = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) + request.offset_ms

redis.call('ZADD', KEYS[1], now + request.wait_ms, request.member)
redis.call('PEXPIRE', KEYS[1], request.ttl_ms)
return '{}'
