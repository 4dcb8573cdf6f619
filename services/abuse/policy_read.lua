-- Tells the operator's policy, to who does not have it yet; changes nothing.
--
-- KEYS[1]  the policy, a hash
-- ARGV[1]  JSON {stamp}: of the last change that is known, if any is
-- returns  JSON {same}, or {stamp, version, rows, broken}
--          rows    {field, value, ...}
--          broken  names of rows that no reply could hold

local request = cjson.decode(ARGV[1])

local stamp = redis.call('HGET', KEYS[1], 'stamp') or ''
if stamp == request.stamp then return '{"same":true}' end

local rows, broken, version = {}, {}, 0
local flat = redis.call('HGETALL', KEYS[1])
for at = 1, #flat, 2 do
  local field, value = flat[at], flat[at + 1]
  if field == 'version' then
    version = tonumber(string.match(value, '^%d+$') or 0)
  elseif field ~= 'stamp' then
    if string.find(field, '^[%w:_-]+$') and string.find(value, '^[%w:_,;=/-]*$') then
      rows[#rows + 1], rows[#rows + 2] = field, value
    else
      broken[#broken + 1] = (string.gsub(field, '[^%w:_-]', '?'))
    end
  end
end
return cjson.encode({ stamp = (string.gsub(stamp, '[^%w_-]', '?')), version = version,
  rows = rows, broken = broken })
