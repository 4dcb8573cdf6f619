-- Finds whose message a receipt is about. A vendor may be faster than our own note of
-- its answer: a receipt of an unknown message waits for that note for a while.
--
-- KEYS[1]  the message
-- ARGV[1]  JSON {offset_ms, early_ms, receipt?}; without a receipt it only looks
-- returns  JSON {message, age_ms}, or {} where it is unknown

local MOST = 4

local request = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) + request.offset_ms

local stored = redis.call('GET', KEYS[1])
local message = stored and cjson.decode(stored) or { early = {} }
if message.tag then
  return cjson.encode({ message = message, age_ms = math.max(0, now - message.at_ms) })
end
if request.receipt and #message.early < MOST then
  table.insert(message.early, request.receipt)
  redis.call('SET', KEYS[1], cjson.encode(message), 'PX', request.early_ms)
end
return '{}'
