-- Lists what is not open: blocks of numbers, countries, callers.
--
-- KEYS[1]  blocks:{all}     KEYS[2]  saved:{all}
-- ARGV[1]  JSON {offset_ms, forget_ms}: so long after its end nobody asks about a block
-- returns  JSON {blocks: [{field, row, refused, micros}]}; row is JSON as keys.py has it

local request = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) + request.offset_ms

local found = {}
local rows = redis.call('HGETALL', KEYS[1])
for i = 1, #rows, 2 do
  local row = cjson.decode(rows[i + 1])
  if math.max(row.ends, row.since) + request.forget_ms <= now then
    redis.call('HDEL', KEYS[1], rows[i])
    redis.call('HDEL', KEYS[2], rows[i] .. '|refused', rows[i] .. '|micros')
  else
    found[#found + 1] = {
      field = rows[i], row = rows[i + 1],
      refused = tonumber(redis.call('HGET', KEYS[2], rows[i] .. '|refused') or 0),
      micros = tonumber(redis.call('HGET', KEYS[2], rows[i] .. '|micros') or 0),
    }
  end
end
return cjson.encode({ blocks = found })
