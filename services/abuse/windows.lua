-- Counters in sliding windows, shared by the scripts of abuse/. Put in front of them.
--
-- A window slides in tenths: what was counted in a tenth leaves when the whole tenth
-- is older than the window. So no window of that length ever holds more than its
-- capacity, and a unit is free at most a tenth of the window later than need be.

local request = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) + request.offset_ms
local TENTHS = 10

-- What a counter holds: its tenths by window, the oldest first, and what is not a tenth.
local function read(key)
  local flat = redis.call('HGETALL', key)
  local counts, stale, rest = {}, {}, {}
  for i = 1, #flat, 2 do
    local window, bucket = string.match(flat[i], '^(%d+):(%d+)$')
    if not window then
      rest[flat[i]] = flat[i + 1]
    else
      local tenth = window / TENTHS
      if (bucket + 1) * tenth + window <= now then
        stale[#stale + 1] = flat[i]
      else
        counts[window] = counts[window] or {}
        table.insert(counts[window], { bucket = tonumber(bucket), count = tonumber(flat[i + 1]) })
      end
    end
  end
  for _, entries in pairs(counts) do
    table.sort(entries, function(a, b) return a.bucket < b.bucket end)
  end
  return counts, stale, rest
end

-- How much of a window is used, how long until so many more units fit, and until it is
-- unused.
local function measure(entries, capacity, window, units)
  local used, wait, reset = 0, 0, 0
  for _, entry in ipairs(entries) do used = used + entry.count end
  local over = used + units - capacity
  for _, entry in ipairs(entries) do
    local leaves = (entry.bucket + 1) * (window / TENTHS) + window - now
    if over > 0 then wait = leaves end
    over = over - entry.count
    reset = leaves
  end
  return used, wait, reset
end

-- Changes the count of the tenth that a moment lies in; a tenth that is not there any
-- more, or has less, gives back what it has.
local function change(key, entries, window, moment, units)
  local bucket = math.floor(moment / (window / TENTHS))
  local entry
  for _, it in ipairs(entries) do
    if it.bucket == bucket then entry = it end
  end
  if units < 0 then
    if not (entry and entry.count > 0) then return end
    units = math.max(units, -entry.count)
  end
  if not entry then
    entry = { bucket = bucket, count = 0 }
    table.insert(entries, entry)
  end
  entry.count = entry.count + units
  redis.call('HINCRBY', key, string.format('%d:%d', window, bucket), units)
end

-- Has a counter live until its oldest tenth can have left.
local function keep(key, windows, stale)
  local longest = 0
  for _, window in ipairs(windows) do longest = math.max(longest, window[2]) end
  if #stale > 0 then redis.call('HDEL', key, unpack(stale)) end
  redis.call('PEXPIRE', key, math.ceil(longest * (TENTHS + 1) / TENTHS))
end
