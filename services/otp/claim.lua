-- Takes the messages whose time has come: each goes to one taker, who has a while to say
-- that it is done with it before it goes to another.
--
-- KEYS[1]  the list, a sorted set by the time to look
-- ARGV[1]  JSON {offset_ms, most, lease_ms}
-- returns  JSON {members}

local request = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) + request.offset_ms

local members = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, request.most)
if #members == 0 then return '{}' end
for _, member in ipairs(members) do
  redis.call('ZADD', KEYS[1], now + request.lease_ms, member)
end
return cjson.encode({ members = members })
