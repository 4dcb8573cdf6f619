-- Enters an operator's act, before it is done, or that it failed.
--
-- KEYS[1]  the stream
-- ARGV[1]  JSON {most, ttl_ms, fields}
--          most    about how many entries are kept
--          fields  [name, value, ...], of which one names the act
-- returns  JSON {}
--
-- Running it again changes nothing: an entry is entered once.

-- More than could be entered between a lost answer and the second try.
local LATEST = 20

local request = cjson.decode(ARGV[1])
local wanted = cjson.encode(request.fields)
for _, entry in ipairs(redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', LATEST)) do
  if cjson.encode(entry[2]) == wanted then return '{}' end
end
redis.call('XADD', KEYS[1], 'MAXLEN', '~', request.most, '*', unpack(request.fields))
redis.call('PEXPIRE', KEYS[1], request.ttl_ms)
return '{}'
