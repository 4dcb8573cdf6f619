-- Reads the newest entries.
--
-- KEYS[1]  the stream
-- ARGV[1]  JSON {count}
-- returns  JSON {entries}: [id, [name, value, ...]], the newest first

local request = cjson.decode(ARGV[1])
local entries = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', request.count)
return cjson.encode({ entries = entries })
