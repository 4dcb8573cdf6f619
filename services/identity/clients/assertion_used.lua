-- Takes an assertion's one use.
--
-- KEYS[1]  the assertion's mark: the op that used it
-- ARGV[1]  JSON {op, ttl_ms}
-- returns  JSON {fresh}

local request = cjson.decode(ARGV[1])

if redis.call('SET', KEYS[1], request.op, 'NX', 'PX', request.ttl_ms) then
  return '{"fresh":true}'
end
-- The same request again, whose answer was lost, is no second use.
local used_by = redis.call('GET', KEYS[1])
return cjson.encode({ fresh = used_by == request.op })
