-- What the scripts of the signing keys share. Put in front of each of them; see
-- key_store.py for the shape of a row. Times are Unix seconds.

local request = cjson.decode(ARGV[1])
local now = tonumber(redis.call('TIME')[1]) + math.floor(request.offset_ms / 1000)

local rows, active = {}, nil
local flat = redis.call('HGETALL', KEYS[1])
for at = 1, #flat, 2 do
  rows[flat[at]] = cjson.decode(flat[at + 1])
  if rows[flat[at]].state == 'active' then active = flat[at] end
end

local function save(kid, row)
  redis.call('HSET', KEYS[1], kid, cjson.encode(row))
end

local function reply(outcome, wait)
  return cjson.encode({ outcome = outcome, wait = wait or 0 })
end
