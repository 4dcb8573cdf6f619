-- Reads what happened to a phone.
--
-- KEYS[1]  the phone's trail
-- ARGV[1]  JSON {offset_ms, ttl_ms}
-- returns  JSON {rows}: those that are young enough, as they were added

local request = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) + request.offset_ms

local rows = {}
for _, row in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  if cjson.decode(row)[1] > now - request.ttl_ms then rows[#rows + 1] = row end
end
return '{"rows":[' .. table.concat(rows, ',') .. ']}'
