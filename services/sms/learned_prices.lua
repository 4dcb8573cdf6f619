-- Merges the prices that one worker learned from receipts, and tells those that hold.
--
-- KEYS[1]  the learned prices; learned_prices.py has their shape
-- ARGV[1]  JSON {offset_ms, currency, keep_ms, most, step_down, seen}
--          seen       {field -> micros}; without any nothing is written
--          most       fields that there may be: others are not taken in
--          step_down  part of the way down that a lower price takes
-- returns  JSON {prices: {field -> micros}}: those in this currency that are not too old

local request = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) + request.offset_ms

local held, prices, stale, count = {}, {}, {}, 0
local stored = redis.call('HGETALL', KEYS[1])
for index = 1, #stored, 2 do
  local field = stored[index]
  local readable, price = pcall(cjson.decode, stored[index + 1])
  readable = readable and type(price) == 'table'
    and type(price.micros) == 'number' and type(price.at_ms) == 'number'
  if readable and price.currency == request.currency
    and now - price.at_ms < request.keep_ms then
    held[field], prices[field], count = price, price.micros, count + 1
  else
    stale[#stale + 1] = field
  end
end

if next(request.seen) then
  for _, field in ipairs(stale) do redis.call('HDEL', KEYS[1], field) end
  for field, micros in pairs(request.seen) do
    local before = held[field]
    if not before then count = count + 1 end
    if before or count <= request.most then
      if before and micros < before.micros then
        micros = before.micros
          - math.ceil((before.micros - micros) * request.step_down)
      end
      prices[field] = micros
      redis.call('HSET', KEYS[1], field, cjson.encode({
        micros = micros, currency = request.currency, at_ms = now,
      }))
    end
  end
  redis.call('PEXPIRE', KEYS[1], request.keep_ms)
end

return cjson.encode({prices = prices})
