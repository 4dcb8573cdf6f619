-- Takes down what became of a send, or of a code: what a message cost, that a code was
-- typed, that a vendor or an operator has made up their mind.
--
-- KEYS[1]  on: blocks, saved, the phone's bucket of known phones (or where one would be),
--          where it is noted that this was done, then one for each rule, then the holds of each that is about money
-- ARGV[1]  JSON {offset_ms, what, tag, field?, hold?, micros?, at?, rules, known_days?,
--          cause?}
--          what   settle   the hold is spent as micros, at the time it was held
--                 return   the units of rules, taken at at[1], and the hold are given back
--                 typed    the messages sent at each of at were of use
--                 forget   the phone is not known any more
--                 block    the subject of rules is blocked for cause
--                 lift     it is not any more
--          rules  as in admit.lua
-- returns  JSON {changes, done}

local BLOCKS, SAVED, KNOWN, DONE, FIRST_RULE = 1, 2, 3, 4, 5
local changes, done = {}, 0
local what = request.what

-- Whether this is asked for the first time: an answer may be lost, and so asked again.
local DONE_MS = 600000
local function is_first(key)
  return redis.call('SET', key, '1', 'NX', 'PX', DONE_MS) ~= false
end

local function give_back(key, rule, moment)
  local counts, stale = read(key)
  for _, window in ipairs(rule.windows) do
    change(key, counts[tostring(window[2])] or {}, window[2], moment, -1)
  end
  if #stale > 0 then drop(key, unpack(stale)) end
end

local function spend(key, rule, moment, micros)
  local counts, stale = read(key)
  for _, window in ipairs(rule.windows) do
    change(key, counts[tostring(window[2])] or {}, window[2], moment, micros)
  end
  keep(key, rule.windows, stale)
end

-- Held too long ago, it was let go of; what was spent is spent all the same.
local is_late = what == 'settle' and request.at[1] + HOLD_MS <= now and is_first(KEYS[DONE])

local function settle(key, rule)
  local was_held = remove_hold(KEYS[rule.holds], request.hold)
  if was_held then lower_held(key, amount_of(request.hold)) end
  if what == 'settle' and request.micros > 0 and (was_held or is_late) then
    spend(key, rule, request.at[1], request.micros)
  end
end

local function tell(rule, change, record)
  changes[#changes + 1] = note_block(KEYS[BLOCKS], KEYS[SAVED], rule, change, record)
end

for i, rule in ipairs(request.rules) do
  if rule.kind == 'money' and (request.hold or '') ~= '' then
    settle(KEYS[FIRST_RULE + i - 1], rule)
    done = done + 1
  end
end

if what == 'return' then
  for i, rule in ipairs(request.rules) do
    local key = KEYS[FIRST_RULE + i - 1]
    if rule.kind == 'count' then give_back(key, rule, request.at[1]) end
    if rule.kind == 'distinct' then redis.call('ZREM', key, request.tag) end
    if rule.kind == 'conversion' then
      local record = load_conversion(key)
      uncount_conversion(record, rule.test, request.at[1])
      save_conversion(key, record, rule.test)
    end
  end
end

if what == 'typed' and is_first(KEYS[DONE]) then
  local before = redis.call('HGET', KEYS[KNOWN], request.field)
  -- What known phones are sent was never counted.
  local was_known = before
    and math.floor(now / DAY_MS) - string.match(before, '^%d+') <= request.known_days
  redis.call('HSET', KEYS[KNOWN], request.field,
    string.format('%d:0:0', math.floor(now / DAY_MS)))
  redis.call('PEXPIRE', KEYS[KNOWN], request.known_days * DAY_MS)
  local flat = redis.call('HGETALL', KEYS[KNOWN])
  for i = 1, #flat, 2 do
    if math.floor(now / DAY_MS) - string.match(flat[i + 1], '^%d+') > request.known_days then
      redis.call('HDEL', KEYS[KNOWN], flat[i])
    end
  end
  for i, rule in ipairs(request.rules) do
    local key = KEYS[FIRST_RULE + i - 1]
    if rule.kind == 'count' then
      for _, at in ipairs(request.at) do give_back(key, rule, at) end
    elseif rule.kind == 'distinct' then
      redis.call('ZREM', key, request.tag)
    elseif rule.kind == 'conversion' and not was_known and redis.call('EXISTS', key) == 1 then
      local record = load_conversion(key)
      for _, at in ipairs(request.at) do count_typed(record, rule.test, at) end
      local before = record.state
      local changed = before == 'probing' and judge(record, rule.test, rule.test.life_ms)
      if changed then tell(rule, changed, record) end
      save_conversion(key, record, rule.test)
    end
  end
end

if what == 'forget' then done = redis.call('HDEL', KEYS[KNOWN], request.field) end

if what == 'block' or what == 'lift' then
  for i, rule in ipairs(request.rules) do
    local key = KEYS[FIRST_RULE + i - 1]
    local record = load_conversion(key)
    if what == 'block' and record.state == 'blocked' and record.ends > now then
      -- Those under way when it was blocked say the same once more.
      done = done + 1
    elseif what == 'block' then
      block(record, rule.test, rule.test.block_ms)
      tell(rule, { state = 'blocked', cause = request.cause, sent = 0, typed = 0 }, record)
      save_conversion(key, record, rule.test)
      done = done + 1
    elseif record.state then
      record.state, record.rung, record.probes, record.b = nil, nil, nil, {}
      tell(rule, { state = 'open', cause = 'operator', sent = 0, typed = 0 }, record)
      save_conversion(key, record, rule.test)
      done = done + 1
    end
  end
end
return cjson.encode({ changes = changes, done = done })
