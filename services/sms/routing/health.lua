-- Merges what one worker observed of the vendors of an area, steps their weights if it
-- is time, and tells how they stand.
--
-- KEYS[1]  the area's health; health.py has its shape
-- ARGV[1]  JSON {offset_ms, rules, candidates, peek} and, but for a peek,
--          {worker, op, deltas, open}
--          candidates  names of the vendors that traffic can move between
--          peek        tell only; nothing is merged, stepped or written
--          worker, op  name this request: running it again changes nothing
--          deltas      {vendor -> {counter -> increase}}
--          open        vendors that this worker's breaker leaves alone
-- returns  JSON {changes: [[vendor, from, to, reason]],
--          vendors: {name -> {weight, short, long, open_workers}}}
--          changes     made by this request
--
-- A count halves every half-life. As that composes, one time of the last write serves
-- all counts, and merging often or rarely comes to the same.

local request = cjson.decode(ARGV[1])
local rules = request.rules
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) + request.offset_ms
local NOTHING = 1e-6

local stored = redis.call('GET', KEYS[1])
local record = stored and cjson.decode(stored) or {}
local vendors, workers = record.vendors or {}, record.workers or {}
record.vendors, record.workers = vendors, workers

-- Redis's clock may go back when another server takes over.
local elapsed = math.max(0, now - (record.at or now))
record.at = now

local function decayed(counts, half_ms)
  local kept, factor = {}, 2 ^ (-elapsed / half_ms)
  for name, count in pairs(counts) do
    if count * factor > NOTHING then kept[name] = count * factor end
  end
  return kept
end

for _, it in pairs(vendors) do
  it.short = decayed(it.short, rules.short_half_ms)
  it.long = decayed(it.long, rules.long_half_ms)
end
for name, it in pairs(workers) do
  if now - it.at >= rules.forget_worker_ms then workers[name] = nil end
end

local function vendor_of(name)
  vendors[name] = vendors[name] or { weight = rules.resting, short = {}, long = {} }
  return vendors[name]
end

for _, name in ipairs(request.candidates) do vendor_of(name) end

local function merge(deltas)
  for name, counts in pairs(deltas) do
    local it = vendor_of(name)
    for counter, increase in pairs(counts) do
      it.short[counter] = (it.short[counter] or 0) + increase
      it.long[counter] = (it.long[counter] or 0) + increase
    end
  end
end

-- A count, and the share that one count has in another; 0 where there is nothing.
local function count(counts, name) return counts[name] or 0 end
local function share(counts, part, whole)
  return count(counts, whole) > 0 and count(counts, part) / count(counts, whole) or 0
end

local function best_conversion_but(name)
  local best = 0
  for _, other in ipairs(request.candidates) do
    local short = vendor_of(other).short
    if other ~= name and count(short, 'tries') >= rules.least_tries then
      best = math.max(best, share(short, 'converted', 'tries'))
    end
  end
  return best
end

-- Why a vendor is bad now; nil when it is not, or when too little is known.
local function badness(name)
  local it = vendor_of(name)
  local short, long = it.short, it.long
  if count(short, 'calls') >= rules.least_calls
      and share(short, 'errors', 'calls') >= rules.most_errors then
    return 'errors'
  end
  if count(short, 'accepted') >= rules.least_calls
      and share(short, 'seconds', 'accepted') > rules.slow_seconds then
    return 'slow'
  end
  if count(long, 'receipts') > 0 and count(short, 'judged') >= rules.least_judged then
    -- A code that was typed did arrive: receipts that stop coming are no outage.
    local arrived = share(short, 'delivered', 'judged')
    if count(short, 'tries') >= rules.least_judged then
      arrived = math.max(arrived, share(short, 'converted', 'tries'))
    end
    if arrived < rules.least_delivered then return 'undelivered' end
  end
  if count(short, 'tries') >= rules.least_tries then
    local usual = math.max(best_conversion_but(name), share(long, 'converted', 'tries'))
    if share(short, 'converted', 'tries') < usual / 2 then return 'unconverted' end
  end
  return nil
end

local changes = {}
local function change(name, weight, reason)
  local it = vendor_of(name)
  changes[#changes + 1] = { name, it.weight, weight, reason }
  it.weight, it.changed_at = weight, now
end

local function step()
  local bad, some_good = {}, false
  for _, name in ipairs(request.candidates) do
    bad[name] = badness(name)
    if not bad[name] then some_good = true end
  end
  -- However many workers look, one look in this time takes weight away.
  local may_step = some_good and rules.step_down > 0
      and now - (record.stepped_at or 0) >= rules.step_every_ms
  for _, name in ipairs(request.candidates) do
    local it = vendor_of(name)
    if bad[name] then
      if may_step and it.weight > 0 then
        change(name, math.max(0, it.weight - rules.step_down), bad[name])
        record.stepped_at = now
      end
    elseif it.weight < rules.resting and now - (it.changed_at or 0) >= rules.drift_every_ms then
      change(name, math.min(rules.resting, it.weight + rules.drift_up), 'recovered')
    end
  end
end

-- What left the routes, and has been quiet since, is not carried along for ever.
local function forget_strangers()
  local known = {}
  for _, name in ipairs(request.candidates) do known[name] = true end
  for name, it in pairs(vendors) do
    if not known[name] and count(it.long, 'calls') < rules.forget_calls then vendors[name] = nil end
  end
end

if not request.peek then
  local worker = workers[request.worker]
  if worker and worker.op == request.op then
    changes = worker.changes
  else
    merge(request.deltas)
    forget_strangers()
    step()
  end
  workers[request.worker] = {
    at = now, op = request.op, open = request.open, changes = changes,
  }
  redis.call('SET', KEYS[1], cjson.encode(record), 'PX', rules.keep_ms)
end

local answer = {}
for name, it in pairs(vendors) do
  local open_workers = 0
  for _, worker in pairs(workers) do
    for _, open in ipairs(now - worker.at < rules.open_worker_ms and worker.open or {}) do
      if open == name then open_workers = open_workers + 1 end
    end
  end
  answer[name] = {
    weight = it.weight, short = it.short, long = it.long, open_workers = open_workers,
  }
end
return cjson.encode({ changes = changes, vendors = answer })
