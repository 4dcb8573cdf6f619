-- Adds what happened to a phone, and drops what is too old or too much.
--
-- KEYS[1]  the phone's trail
-- ARGV[1]  JSON {offset_ms, most, ttl_ms, lines}
--          most   bytes to keep
--          lines  [age in ms, line without its time], the oldest first
-- returns  JSON {}
--
-- Twice, it adds twice: it is not run again when its answer is lost.

local request = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) + request.offset_ms

local kept = { redis.call('GET', KEYS[1]) or nil }
for _, line in ipairs(request.lines) do
  kept[#kept + 1] = string.format('%.0f|%s', math.floor((now - line[1]) / 100), line[2])
end
local text = table.concat(kept, '\n')

local function time_at(place)
  return tonumber(string.match(text, '^%d+', place))
end

local start, oldest = 1, math.floor((now - request.ttl_ms) / 100)
while #text - start >= request.most or time_at(start) <= oldest do
  local ending = string.find(text, '\n', start, true)
  if not ending then break end
  start = ending + 1
end
-- Not APPEND, which doubles the room that a string takes.
redis.call('SET', KEYS[1], string.sub(text, start), 'PX', request.ttl_ms)
return '{}'
