-- What these tests win: a key with a value; or nothing, which is no login.

local function on_win(prize, facts)
  if not prize.value then return { channel = facts.channel }, false end
  redis.call('SET', KEYS[2], prize.value, 'PX', 600000)
  return { value = prize.value }, true
end
