-- Money: held before a message goes out, spent when it is known what it cost. Put behind
-- windows.lua.
--
-- Holds are members "<id>:<amount>" of a set of their own beside each cap; what they add
-- up to is the field `held` of the cap. One that nobody settles is void after a minute:
-- a send takes seconds.

local HOLD_MS = 60000

local function lower_held(key, amount)
  if redis.call('HINCRBY', key, 'held', -amount) <= 0 then
    redis.call('HDEL', key, 'held')
  end
end

local function amount_of(member) return tonumber(string.match(member, ':(%d+)$')) end

-- Takes the holds out that nobody settled in time; returns what they add up to.
local function sweep(key)
  local void = redis.call('ZRANGEBYSCORE', key, '-inf', now - HOLD_MS, 'LIMIT', 0, 100)
  local amount = 0
  for _, member in ipairs(void) do amount = amount + amount_of(member) end
  if #void > 0 then redis.call('ZREM', key, unpack(void)) end
  return amount
end

local function nothing_held(key) return redis.call('ZCARD', key) == 0 end

local function add_hold(key, member)
  local is_new = redis.call('ZADD', key, 'NX', now, member) == 1
  redis.call('PEXPIRE', key, 60 * HOLD_MS)
  return is_new
end

local function remove_hold(key, member) return redis.call('ZREM', key, member) == 1 end
