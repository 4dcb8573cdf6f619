-- Tells what the rules did, day by day, and what is spent. Put behind windows.lua. Changes
-- nothing.
--
-- KEYS     the tally; then the counters of money
-- ARGV[1]  JSON {offset_ms, days, windows}
--          days     how many, today among them
--          windows  one list of lengths in ms for each counter
-- returns  JSON {tally, spends}
--          tally   {field, value, ...} of those days, as stored
--          spends  [{held, spent}]: spent in each window

local DAY_MS = 86400000
local first = math.floor(now / DAY_MS) - request.days + 1

local tally = {}
local flat = redis.call('HGETALL', KEYS[1])
for i = 1, #flat, 2 do
  local day = tonumber(string.match(flat[i], '^(%d+)|[%w_]*|%w+|[01]'))
  if day and day >= first then
    tally[#tally + 1], tally[#tally + 2] = flat[i], flat[i + 1]
  end
end

local spends = {}
for i, lengths in ipairs(request.windows) do
  local counts, _, rest = read(KEYS[i + 1])
  local spent = {}
  for j, length in ipairs(lengths) do
    spent[j] = measure(counts[string.format('%d', length)] or {}, 0, length, 0)
  end
  spends[i] = { held = tonumber(rest.held or 0), spent = spent }
end
return cjson.encode({ tally = tally, spends = spends })
