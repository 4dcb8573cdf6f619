-- Changes the operator's policy, and drops the entries that have ended.
--
-- KEYS[1]  the policy, a hash
-- ARGV[1]  JSON {stamp, now, most, set, drop}
--          stamp  names this change        now   Unix time in seconds
--          most   entries that there may be
--          set    {field, value, ...}      drop  fields to forget
-- returns  JSON {done}: something was set or forgotten; false where there was nothing to
--          forget, or it would be one entry too many
--
-- Run again with the same stamp, because an answer was lost, it does nothing more.

local request = cjson.decode(ARGV[1])

if redis.call('HGET', KEYS[1], 'stamp') == request.stamp then
  return '{"done":true}'
end

local over, entries, known = false, 0, {}
local flat = redis.call('HGETALL', KEYS[1])
for at = 1, #flat, 2 do
  local field = flat[at]
  if string.find(field, '^entry:') then
    local ends = tonumber(string.match(flat[at + 1], '^(%d+):') or 0)
    if ends > 0 and ends <= request.now then
      redis.call('HDEL', KEYS[1], field)
      over = true
    else
      entries, known[field] = entries + 1, true
    end
  end
end

local done, has_room = false, true
for at = 1, #request.set, 2 do
  local field = request.set[at]
  if string.find(field, '^entry:') and not known[field] and entries >= request.most then
    has_room = false
  end
end
for at = 1, has_room and #request.set or 0, 2 do
  redis.call('HSET', KEYS[1], request.set[at], request.set[at + 1])
  done = true
end
for _, field in ipairs(request.drop) do
  if redis.call('HDEL', KEYS[1], field) == 1 then done = true end
end
if done or over then
  local version = string.match(redis.call('HGET', KEYS[1], 'version') or '', '^%d+$') or 0
  redis.call('HSET', KEYS[1], 'version', string.format('%.0f', version + 1))
  redis.call('HSET', KEYS[1], 'stamp', request.stamp)
end
return cjson.encode({ done = done })
