-- Adds what happened to a phone, and drops what is too old or too much.
--
-- KEYS[1]  the phone's trail
-- ARGV[1]  JSON {offset_ms, most, ttl_ms, rows}
--          rows  as trail.py has them, with their age in place of the time
-- returns  JSON {}
--
-- Twice, it adds twice: it is not run again when its answer is lost.

local request = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) + request.offset_ms

for _, row in ipairs(request.rows) do
  row[1] = now - row[1]
  redis.call('RPUSH', KEYS[1], cjson.encode(row))
end
redis.call('LTRIM', KEYS[1], -request.most, -1)
local oldest = redis.call('LINDEX', KEYS[1], 0)
while oldest and cjson.decode(oldest)[1] <= now - request.ttl_ms do
  redis.call('LPOP', KEYS[1])
  oldest = redis.call('LINDEX', KEYS[1], 0)
end
redis.call('PEXPIRE', KEYS[1], request.ttl_ms)
return '{}'
