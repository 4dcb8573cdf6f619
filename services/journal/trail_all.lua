-- Reads what happened to a phone.
--
-- KEYS[1]  the phone's trail
-- ARGV[1]  JSON {offset_ms}
-- returns  JSON {text, now_ms}: the lines as they were added, and the time

local request = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) + request.offset_ms

return cjson.encode({ text = redis.call('GET', KEYS[1]) or '', now_ms = now })
