-- Takes one unit of each limit that is to be taken, or none of any.
--
-- KEYS[i]  the counter of rule i, a hash {"<window_ms>:<bucket>" -> count}
-- ARGV[1]  JSON {offset_ms, force, returning?, rules: [{take, windows: [[capacity, ms]]}]}
--          take   whether a unit is taken of this rule; else it is only looked at
--          force  take them whatever the limits say
--          returning  give back, instead of taking, what was taken at that time (at_ms)
-- returns  JSON {taken, at_ms, rules: [{wait_ms, windows: [{left, reset_ms}]}]}
--          wait_ms: how long until a unit of the rule is free, 0 = now. Where one was
--          taken it speaks of the unit after it.
--
-- A window slides in tenths: what was counted in a tenth leaves when the whole tenth
-- is older than the window. So no window of that length ever holds more than its
-- capacity, and a unit is free at most a tenth of the window later than need be.

local request = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) + request.offset_ms
local TENTHS = 10

local function read(key)
  local flat = redis.call('HGETALL', key)
  local counts, stale = {}, {}
  for i = 1, #flat, 2 do
    local window, bucket = string.match(flat[i], '^(%d+):(%d+)$')
    local tenth = window / TENTHS
    if (bucket + 1) * tenth + window <= now then
      stale[#stale + 1] = flat[i]
    else
      counts[window] = counts[window] or {}
      table.insert(counts[window], { bucket = tonumber(bucket), count = tonumber(flat[i + 1]) })
    end
  end
  for _, entries in pairs(counts) do
    table.sort(entries, function(a, b) return a.bucket < b.bucket end)
  end
  return counts, stale
end

-- How much of a window is used, and how long until one more unit fits, and until it is unused.
local function measure(entries, capacity, window)
  local used, wait, reset = 0, 0, 0
  for _, entry in ipairs(entries) do used = used + entry.count end
  local over = used + 1 - capacity
  for _, entry in ipairs(entries) do
    local leaves = (entry.bucket + 1) * (window / TENTHS) + window - now
    if over > 0 then wait = leaves end
    over = over - entry.count
    reset = leaves
  end
  return used, wait, reset
end

local counters, free = {}, true
for i, rule in ipairs(request.rules) do
  local counts, stale = read(KEYS[i])
  counters[i] = { counts = counts, stale = stale }
  for _, window in ipairs(rule.take and rule.windows or {}) do
    local entries = counts[tostring(window[2])] or {}
    local _, wait = measure(entries, window[1], window[2])
    if wait > 0 then free = false end
  end
end

-- Changes the count of the tenth that a moment lies in; a tenth that is not there any
-- more, or is empty, has nothing to give back.
local function count(key, entries, window, moment, units)
  local bucket = math.floor(moment / (window / TENTHS))
  local entry
  for _, it in ipairs(entries) do
    if it.bucket == bucket then entry = it end
  end
  if units < 0 and not (entry and entry.count > 0) then return end
  if not entry then
    entry = { bucket = bucket, count = 0 }
    table.insert(entries, entry)
  end
  entry.count = entry.count + units
  redis.call('HINCRBY', key, string.format('%d:%d', window, bucket), units)
end

local taken = free or request.force or request.returning ~= nil
for i, rule in ipairs(request.rules) do
  if taken and rule.take then
    local longest = 0
    for _, window in ipairs(rule.windows) do
      local name = tostring(window[2])
      counters[i].counts[name] = counters[i].counts[name] or {}
      count(KEYS[i], counters[i].counts[name], window[2], request.returning or now,
        request.returning and -1 or 1)
      longest = math.max(longest, window[2])
    end
    if #counters[i].stale > 0 then redis.call('HDEL', KEYS[i], unpack(counters[i].stale)) end
    -- A tenth longer than the window: its oldest tenth leaves only as a whole.
    redis.call('PEXPIRE', KEYS[i], math.ceil(longest * (TENTHS + 1) / TENTHS))
  end
end

local answer = {}
for i, rule in ipairs(request.rules) do
  local found = { wait_ms = 0, windows = {} }
  for j, window in ipairs(rule.windows) do
    local entries = counters[i].counts[tostring(window[2])] or {}
    local used, wait, reset = measure(entries, window[1], window[2])
    if wait > found.wait_ms then found.wait_ms = wait end
    found.windows[j] = { left = math.max(0, window[1] - used), reset_ms = reset }
  end
  answer[i] = found
end
return cjson.encode({ taken = taken, at_ms = now, rules = answer })
