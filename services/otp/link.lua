-- Remembers whose message a vendor's id names, and tells what arrived about it before.
--
-- KEYS[1]  the message
-- ARGV[1]  JSON {offset_ms, ttl_ms, message}
--          message  what to remember, see messages.py
-- returns  JSON {at_ms, early?}: when, and receipts that came before this, oldest first

local request = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) + request.offset_ms

local stored = redis.call('GET', KEYS[1])
local early = stored and cjson.decode(stored).early or nil
request.message.at_ms = now
redis.call('SET', KEYS[1], cjson.encode(request.message), 'PX', request.ttl_ms)
return cjson.encode({ at_ms = now, early = early })
