-- Judges whether the codes of a number block, a country or a caller are typed. Put
-- behind windows.lua, in front of a script.
--
-- The record of one subject, JSON:
--   b      {"<bucket>": [sent, typed]}, by the time of the send
--   r      {"<phone>": when a send to it was counted that was not typed yet}, where test
--          says by_phone_ms: so long, more sends to the same phone are one, or whoever
--          bombs one phone would have its neighbours blocked
--   base   [sent, typed, until when it was filled]: what is usual, decaying over a week
--   x      [hour, blocks of numbers that explained something in it]
--   state  nil (open) | challenged | blocked | probing
--   ends   end of the block     rung   blocks in a row, which double
--   probes [[sent at, typed 0 or 1, phone]]: the sends that decide whether a block was
--          enough; another one to the same phone takes the place of the one before
--
-- The test, as conversion.py has it: {bucket_ms, keep_ms, by_phone_ms, block_ms,
-- longest_ms, probes, pass, base_ms, base_least, tests: [{ms?, least, below? | bound? | half?, verdict}]}. A send is judged
-- only when its code's life is over. Without ms a test is over all that is remembered:
-- what is usual, as it fades, and what is not part of that yet.

local DAY_MS = 86400000

-- The upper end of the Wilson score interval at 95 % (Wilson, JASA 22, 1927).
local function upper(typed, sent)
  local z = 1.96
  local share, square = typed / sent, z * z / sent
  local spread = z * math.sqrt(share * (1 - share) / sent + square / (4 * sent))
  return (share + square / 2 + spread) / (1 + square)
end

local function load_conversion(key)
  local stored = redis.call('GET', key)
  local record = stored and cjson.decode(stored) or {}
  record.b, record.r = record.b or {}, record.r or {}
  return record
end

local function save_conversion(key, record, test)
  redis.call('SET', key, cjson.encode(record), 'PX', test.keep_ms)
end

-- Has buckets that no test looks at any more count as what is usual.
local function fold(record, test, life)
  local longest = 0
  for _, it in ipairs(test.tests) do longest = math.max(longest, it.ms or 0) end
  local changed = false
  for phone, at in pairs(record.r) do
    if at + test.by_phone_ms <= now then record.r[phone] = nil end
  end
  for name, counts in pairs(record.b) do
    local ends = (tonumber(name) + 1) * test.bucket_ms
    if ends + life + longest <= now then
      record.b[name] = nil
      changed = true
      if test.base_ms > 0 then
        local base = record.base or { 0, 0, ends }
        local fade = math.exp(-math.max(0, ends - base[3]) / test.base_ms)
        record.base = { base[1] * fade + counts[1], base[2] * fade + counts[2],
          math.max(base[3], ends) }
      end
    end
  end
  return changed
end

local function judged(record, test, life, window)
  local sent, typed = 0, 0
  if not window and record.base then
    local fade = math.exp(-math.max(0, now - record.base[3]) / test.base_ms)
    sent, typed = record.base[1] * fade, record.base[2] * fade
  end
  for name, counts in pairs(record.b) do
    local begins = tonumber(name) * test.bucket_ms
    local ends = begins + test.bucket_ms
    if ends + life <= now and (not window or ends + life + window > now) then
      sent, typed = sent + counts[1], typed + counts[2]
    end
  end
  return sent, math.min(typed, sent)
end

local function fails(record, test, it, sent, typed)
  if sent < it.least then return false end
  if it.below then return typed / sent < it.below end
  if it.bound then return upper(typed, sent) < it.bound end
  local base = record.base
  return base ~= nil and base[1] >= test.base_least
    and typed / sent < it.half * base[2] / base[1]
end

local function block(record, test, ms)
  record.rung = (record.rung or 0) + 1
  record.state = 'blocked'
  record.ends = now + math.min(ms * 2 ^ (record.rung - 1), test.longest_ms)
  record.probes, record.b = nil, {}
  if test.base_least == 0 then record.base = nil end
end

-- Brings the state up to date. Returns what changed: {state, cause, sent, typed}, and
-- the buckets that a block explains.
local function judge(record, test, life)
  if record.state == 'blocked' then
    if record.ends > now then return nil end
    record.state, record.probes = 'probing', {}
    return { state = 'probing', cause = 'few', sent = 0, typed = 0 }
  end
  if record.state == 'probing' then
    local typed, over = 0, 0
    for _, probe in ipairs(record.probes) do
      typed = typed + probe[2]
      if probe[2] == 1 or probe[1] + life <= now then over = over + 1 end
    end
    local sent = #record.probes
    if typed >= test.pass then
      record.state, record.probes, record.rung = nil, nil, nil
      return { state = 'open', cause = 'recovered', sent = sent, typed = typed }
    end
    -- Whatever becomes of the others, too few will be typed.
    if over - typed > test.probes - test.pass then
      block(record, test, test.block_ms)
      return { state = 'blocked', cause = 'few', sent = sent, typed = typed }
    end
    return nil
  end
  local worst
  for _, it in ipairs(test.tests) do
    local sent, typed = judged(record, test, life, it.ms)
    if fails(record, test, it, sent, typed) then
      local found = { verdict = it.verdict, cause = it.half and 'half' or 'few',
        sent = sent, typed = typed }
      if not worst or it.verdict == 'block' then worst = found end
      if it.verdict == 'block' then break end
    end
  end
  if worst and worst.verdict == 'block' then
    local explained = record.b
    block(record, test, test.block_ms)
    return { state = 'blocked', cause = worst.cause, sent = math.floor(worst.sent + 0.5),
      typed = math.floor(worst.typed + 0.5) },
      explained
  end
  local state = worst and 'challenged' or nil
  if state == record.state then return nil end
  record.state = state
  return { state = state or 'open', cause = worst and 'few' or 'recovered',
    sent = worst and math.floor(worst.sent + 0.5) or 0,
    typed = worst and math.floor(worst.typed + 0.5) or 0 }
end

local function probe_of(record, tag)
  for _, probe in ipairs(record.probes or {}) do
    if probe[3] == tag and probe[2] == 0 then return probe end
  end
  return nil
end

-- Counts one send; false where it is none of its own: another one to the same phone.
local function count_sent(record, test, at)
  if record.state == 'probing' then
    -- Who tries again does not get more time for it.
    if probe_of(record, request.tag) then return false end
    table.insert(record.probes, { at, 0, request.tag })
    return true
  end
  if test.by_phone_ms > 0 then
    local before = record.r[request.tag]
    if before and before + test.by_phone_ms > now then return false end
    record.r[request.tag] = at
  end
  local name = tostring(math.floor(at / test.bucket_ms))
  local counts = record.b[name] or { 0, 0 }
  record.b[name] = { counts[1] + 1, counts[2] }
  return true
end

-- Counts that a code was typed, whose message went out at a time.
local function count_typed(record, test, at)
  if record.state == 'probing' then
    local probe = probe_of(record, request.tag)
    if probe then probe[2] = 1 end
    return
  end
  if test.by_phone_ms > 0 then
    if not record.r[request.tag] then return end
    at, record.r[request.tag] = record.r[request.tag], nil
  end
  local name = tostring(math.floor(at / test.bucket_ms))
  local counts = record.b[name]
  -- More than was sent never is.
  if counts then record.b[name] = { counts[1], math.min(counts[1], counts[2] + 1) } end
end

-- Takes a send back that did not take place.
local function uncount_conversion(record, test, at)
  for place, probe in ipairs(record.probes or {}) do
    if probe[1] == at then
      table.remove(record.probes, place)
      return
    end
  end
  if test.by_phone_ms > 0 then
    if record.r[request.tag] ~= at then return end
    record.r[request.tag] = nil
  end
  local name = tostring(math.floor(at / test.bucket_ms))
  local counts = record.b[name]
  if counts then record.b[name] = { math.max(0, counts[1] - 1), counts[2] } end
end

-- How long a subject in this state has to wait; 0 where it need not.
local function conversion_wait(record, test, life)
  if record.state == 'blocked' then return record.ends - now end
  if record.state == 'probing' and #record.probes >= test.probes
    and not probe_of(record, request.tag) then
    local soonest = record.probes[#record.probes][1] + life - now
    for _, probe in ipairs(record.probes) do
      if probe[2] == 0 then soonest = math.min(soonest, math.max(1, probe[1] + life - now)) end
    end
    return math.max(1, soonest)
  end
  return 0
end

-- So many sends are enough to suspect a block of numbers.
local SUSPECT = 10

-- Whether few of its codes are typed so far, old enough to be judged or not.
local function is_suspect(record)
  if record.state then return true end
  local sent, typed = 0, 0
  for _, counts in pairs(record.b) do
    sent, typed = sent + counts[1], typed + counts[2]
  end
  return sent >= SUSPECT and typed / sent < 0.2
end

-- So many blocks of numbers explain something in an hour. More of them are no longer
-- the affair of each, but of their country.
local EXPLANATIONS = 3

-- Takes what a block explains off what its country is judged by: no more than what the
-- country counted of it.
local function explain(record, test, explained, from_ms)
  local hour = math.floor(now / 3600000)
  local before = record.x or { hour, 0 }
  record.x = { hour, before[1] == hour and before[2] + 1 or 1 }
  if record.x[2] > EXPLANATIONS then return end
  local left = SUSPECT
  for name, counts in pairs(explained) do
    local into = tostring(math.floor(tonumber(name) * from_ms / test.bucket_ms))
    local held = record.b[into]
    local sent = math.min(counts[1], left)
    if held and sent > 0 then
      left = left - sent
      record.b[into] = { math.max(0, held[1] - sent), math.max(0, held[2] - counts[2]) }
    end
  end
end

local function drop(key, ...) return redis.call('HDEL', key, ...) end

-- Notes for the operator what is not open any more, or is open again, and returns what
-- is to be told.
local function note_block(key, saved, rule, change, record)
  local field = rule.scope .. ':' .. rule.subject
  local shadow = rule.mode == 'monitor'
  if change.state == 'open' then
    drop(key, field)
    drop(saved, field .. '|refused', field .. '|micros')
  else
    local before = redis.call('HGET', key, field)
    local since = before and cjson.decode(before).since or now
    redis.call('HSET', key, field, cjson.encode({
      state = change.state, cause = change.cause, since = since, ends = record.ends or 0,
      sent = change.sent, typed = change.typed, shadow = shadow, name = rule.name,
    }))
    redis.call('PEXPIRE', key, 8 * DAY_MS)
  end
  return { kind = 'conversion', rule = rule.rule, state = change.state,
    cause = change.cause, sent = change.sent, typed = change.typed, shadow = shadow,
    ms = change.state == 'blocked' and record.ends - now or 0 }
end
