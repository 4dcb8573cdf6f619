-- Remembers whose message a vendor's id names, and tells what arrived about it before.
--
-- KEYS[1]  the message
-- ARGV[1]  JSON {offset_ms, ttl_ms, message}
--          message  what to remember, see messages.py
-- returns  JSON {at_ms, early?}: when, and receipts that came before this, oldest first
--
-- Running it again changes nothing. A vendor that gives one id to two messages is not
-- to be trusted with either: then nothing is remembered of them.

local request = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) + request.offset_ms

local message = request.message
local stored = redis.call('GET', KEYS[1])
local before = stored and cjson.decode(stored) or {}
if before.tag and not (before.tag == message.tag and before.part == message.part
    and before.attempt == message.attempt) then
  redis.call('DEL', KEYS[1])
  return cjson.encode({ at_ms = now })
end
message.at_ms, message.early = before.at_ms or now, before.early
redis.call('SET', KEYS[1], cjson.encode(message), 'PX', request.ttl_ms)
return cjson.encode({ at_ms = message.at_ms, early = before.early })
