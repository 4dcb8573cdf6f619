-- Takes the messages whose time has come off the list: each goes to one taker.
--
-- KEYS[1]  the list, a sorted set by the time to look
-- ARGV[1]  JSON {offset_ms, most}
-- returns  JSON {members}

local request = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) + request.offset_ms

local members = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, request.most)
if #members == 0 then return '{}' end
redis.call('ZREM', KEYS[1], unpack(members))
return cjson.encode({ members = members })
