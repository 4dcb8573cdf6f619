-- Replaces what is stored of one service client, unless it changed meanwhile.
--
-- KEYS[1]  all service clients, a hash by id
-- ARGV[1]  JSON {id, was, now}: the client's row before, percent-encoded, and after, each
--          absent where there is none
-- returns  JSON {done}

local current = redis.call('HGET', KEYS[1], request.id)

-- Done before, by a run whose answer was lost.
if current == (request.now or false) then return '{"done":true}' end
if (current and escaped(current)) ~= (request.was or false) then
  return '{"done":false}'
end

if request.now then
  redis.call('HSET', KEYS[1], request.id, request.now)
else
  redis.call('HDEL', KEYS[1], request.id)
end
return '{"done":true}'
