-- Decides over one send by every shared rule at once, and takes what it uses, or nothing.
--
-- KEYS[1]  on: the phone's bucket of known phones, blocks, saved, tally, guesses, the
--          solution brought (or where one would be), then one for each rule, then the
--          holds of each that is about money
-- ARGV[1]  JSON {offset_ms, action, field, tag, op, device, vouched, solved, known_days,
--          wants, cost, used_ms, rules}
--          action    send (decide and take) | look (only tell the waits) | force (take of
--                    the rules that say so, whatever they say: it has happened already)
--          field     the phone in its bucket      tag       the phone
--          op        names this send
--          device    it comes from a device that the phone knows
--          vouched   no challenge is asked: it follows a message that was let pass
--          known_days  so long ago a phone may have logged in to be known
--          solved    a solution was brought; used_ms: how long to know that it was
--          wants     why a challenge is asked in any case, or ''
--          cost      the most it can cost
--          rules     [{rule, kind, mode, part, take, windows, scope, subject, spares,
--                    quota, test?, name?}]
--                    part    send | call | check: which wait it adds to
--                    spares  devices that the phone knows are not bound
--                    own     it is about who asks, and not about the phone
--                    asks    it asks for a challenge at most
--                    holds   the place of its holds in KEYS
--                    quota   tell what is left of its windows
--                    test    as conversion.lua has it, for the life of a code: life_ms
--                    name    the subject, sealed, for the operator
-- returns  JSON {verdict, by, wait_ms, shadow?, shadow_by?, difficulty, known, escalated,
--          at_ms, hold, counted, took, rules, waits, changes}
--          verdict   pass | challenge | block | money | used (the solution was before)
--          by        the rule that binds longest, for wait_ms more
--          shadow    the verdict, where it is not that, if rules that only watch counted
--          took      the rules that took something of this send
--          rules     [{over_ms, windows: [{left, reset_ms}]}]
--          waits     {send, call, check}: how long until one more may pass
--          changes   what the operator is to be told: [{kind, ...}]
--
-- Rules that only watch are counted as if they were in mode block, together with all
-- others: they take units of those sends alone that no rule would have refused.

local KNOWN, BLOCKS, SAVED, TALLY, GUESSES, USED, FIRST_RULE = 1, 2, 3, 4, 5, 6, 7
local REFUSE_FACTOR, KNOWN_FACTOR, MOST_UNTYPED = 3, 2, 5
-- How much work a challenge is, beside what the operator sets.
local USUAL, RAISED, HIGH = 1, 2, 4
local TALLY_DAYS = 8
local changes = {}

-- Noted by the send that it let pass: which may ask again, because an answer was lost.
local used_by = request.solved and redis.call('GET', KEYS[USED])
if used_by and used_by ~= request.op then
  return cjson.encode({ verdict = 'used' })
end
-- When the phone last typed a code, and what it was sent since without typing: asked for
-- by anybody, and from a device that it knows. Who types no more is not known any more.
local known_on = redis.call('HGET', KEYS[KNOWN], request.field)
local day, by_anybody, by_device = string.match(known_on or '', '^(%d+):(%d+):(%d+)$')
local logged_in = day ~= nil and math.floor(now / DAY_MS) - day <= request.known_days
local device = request.device and logged_in and tonumber(by_device) < MOST_UNTYPED
local known = logged_in and (device or tonumber(by_anybody) < MOST_UNTYPED)
local solved = device or request.vouched or request.solved

local guesses = redis.call('GET', KEYS[GUESSES])
local guessing = guesses and cjson.decode(guesses).ends > now or false
local escalated = false
local states = {}

local function most_of(rule, capacity)
  return rule.mode == 'challenge' and capacity * REFUSE_FACTOR or capacity
end

-- Over: how long until it is within its limit; wait: until it is within what a
-- solution lets pass, too.
local look_at = {}

function look_at.count(rule, it)
  it.counts, it.stale = read(it.key)
  for _, window in ipairs(rule.windows) do
    local entries = it.counts[tostring(window[2])] or {}
    local used, over = measure(entries, window[1], window[2], 1)
    if over > 0 then
      local _, wait = measure(entries, most_of(rule, window[1]), window[2], 1)
      it.over, it.wait = math.max(it.over, over), math.max(it.wait, wait)
      if used >= 2 * window[1] then it.difficulty = RAISED end
    end
  end
end

-- How long until fewer than `most` others are within the window, of which `used` are.
local function until_below(key, most, used, own, from)
  if used < most then return 0 end
  local found = redis.call('ZRANGEBYSCORE', key, from, '+inf', 'WITHSCORES', 'LIMIT', used - most, 2)
  local at = tonumber(found[2])
  -- The phone itself is none of the others.
  if own and own >= from and own <= at and found[4] then at = tonumber(found[4]) end
  return at - from + 1
end

local function look_at_phones(key, rule, it)
  local own = tonumber(redis.call('ZSCORE', key, request.tag) or nil)
  for _, window in ipairs(rule.windows) do
    local from = now - window[2] + 1
    local used = redis.call('ZCOUNT', key, from, '+inf')
    if own and own >= from then used = used - 1 end
    it.over = math.max(it.over, until_below(key, window[1], used, own, from))
    local most = most_of(rule, window[1])
    it.wait = math.max(it.wait, until_below(key, most, used, own, from))
    if used >= 2 * window[1] then it.difficulty = RAISED end
  end
end

function look_at.distinct(rule, it) look_at_phones(it.key, rule, it) end

-- The block of numbers, which is looked at before its country and its caller.
local block_of_numbers

function look_at.conversion(rule, it)
  it.record = load_conversion(it.key)
  it.dirty = fold(it.record, rule.test, rule.test.life_ms)
  -- One that only watches keeps nobody back, and so explains nothing to who does.
  local prefix = block_of_numbers
  if prefix and prefix.watches and rule.mode ~= 'monitor' then prefix = nil end
  if prefix and prefix.explained then
    -- What a block of numbers explains is not held against its country.
    explain(it.record, rule.test, prefix.explained, prefix.bucket_ms)
    it.dirty = true
  end
  local change, explained = judge(it.record, rule.test, rule.test.life_ms)
  if rule.scope == 'prefix' then
    block_of_numbers = { record = it.record, explained = explained,
      bucket_ms = rule.test.bucket_ms, watches = rule.mode == 'monitor' }
  end
  it.wait = conversion_wait(it.record, rule.test, rule.test.life_ms)
  it.over = math.max(it.wait, it.record.state == 'challenged' and 1 or 0)
  it.difficulty = HIGH
  if not change then return end
  it.dirty = true
  changes[#changes + 1] = note_block(KEYS[BLOCKS], KEYS[SAVED], rule, change, it.record)
end

local function tell_money(rule, it, key, window, percent)
  local name = 'told:' .. window[2]
  local period = math.floor(now / window[2])
  local before = it.rest[name]
  local told, of = string.match(before or '', '^(%d+):(%d+)$')
  if tonumber(of) == period and tonumber(told) >= percent then return end
  it.rest[name] = string.format('%d:%d', percent, period)
  redis.call('HSET', key, name, it.rest[name])
  keep(key, rule.windows, {})
  changes[#changes + 1] = { kind = 'money', rule = rule.rule, subject = rule.subject,
    percent = percent, cap = window[1], ms = window[2], shadow = rule.mode == 'monitor' }
end

function look_at.money(rule, it)
  local key = it.key
  local void = sweep(KEYS[rule.holds])
  if void > 0 then lower_held(key, void) end
  it.counts, it.stale, it.rest = read(key)
  local held = tonumber(it.rest.held or 0)
  if held > 0 and nothing_held(KEYS[rule.holds]) then
    lower_held(key, held)
    held = 0
  end
  for _, window in ipairs(rule.windows) do
    local entries = it.counts[tostring(window[2])] or {}
    local most = window[1] * (known and KNOWN_FACTOR or 1)
    local used, wait = measure(entries, most, window[2], request.cost + held)
    local full = used + held + request.cost
    if request.cost > 0 and full > most then
      -- What is only held may be let go of at any moment.
      it.over = math.max(it.over, wait, 1000)
    end
    if request.action == 'send' then
      if full > window[1] then
        tell_money(rule, it, key, window, 100)
      elseif full >= 0.8 * window[1] and request.cost > 0 then
        tell_money(rule, it, key, window, 80)
      end
    end
  end
  it.wait = it.over
end

function look_at.guessing(rule, it)
  it.over = guessing and 1 or 0
  it.difficulty = HIGH
  if guessing and rule.mode == 'challenge' then escalated = true end
end

for i, rule in ipairs(request.rules) do
  local it = { key = KEYS[FIRST_RULE + i - 1], over = 0, wait = 0, difficulty = USUAL }
  states[i] = it
  it.spared = rule.spares and device
  if not it.spared then look_at[rule.kind](rule, it) end
end

-- What one rule says of this send; nil: it may pass.
local function opinion(rule, it)
  if not rule.take or it.spared or it.over <= 0 then return nil end
  if rule.kind == 'money' then return 'money' end
  if rule.kind == 'guessing' then return not solved and 'challenge' or nil end
  if rule.kind == 'conversion' then
    if known then return nil end
    if it.wait > 0 and rule.mode ~= 'challenge' then return 'block' end
    return not solved and 'challenge' or nil
  end
  if rule.mode ~= 'challenge' and not rule.asks then return 'block' end
  if it.wait > 0 and not rule.asks then return 'block' end
  return not solved and 'challenge' or nil
end

local WEIGHT = { pass = 0, challenge = 1, money = 2, block = 3 }

-- The rules whose answer depends on whether the phone is known.
local function tells_of_phone(rule) return rule.kind == 'conversion' or rule.kind == 'money' end

local function decide_among(chosen, with_watching, verdict, by)
  local wait, difficulty = 0, USUAL
  for i, rule in ipairs(request.rules) do
    local it = states[i]
    local says = chosen(rule) and (with_watching or rule.mode ~= 'monitor')
      and opinion(rule, it)
    if says then
      local binds = says == 'challenge' and 0 or it.wait
      if WEIGHT[says] > WEIGHT[verdict] or (says == verdict and binds > wait) then
        verdict, by, wait = says, rule.rule, binds
      end
      if says == 'challenge' then difficulty = math.max(difficulty, it.difficulty) end
    end
  end
  return verdict, by, wait, difficulty
end

-- Rules that tell who is a customer speak last, to whom all others let pass.
local function decide(with_watching)
  local verdict, by = 'pass', ''
  if request.wants ~= '' and not solved then verdict, by = 'challenge', request.wants end
  local wait, difficulty
  verdict, by, wait, difficulty = decide_among(function(rule) return not tells_of_phone(rule) end,
    with_watching, verdict, by)
  if verdict ~= 'pass' then return verdict, by, wait, difficulty, false end
  verdict, by, wait, difficulty = decide_among(tells_of_phone, with_watching, verdict, by)
  return verdict, by, wait, difficulty, verdict ~= 'pass'
end

-- Counts a send that was kept back, and what it would have cost.
local function add_to(key, field, ending)
  redis.call('HINCRBY', key, field .. '|micros', request.cost)
  redis.call('PEXPIRE', key, TALLY_DAYS * DAY_MS)
  return redis.call('HINCRBY', key, field .. ending, 1)
end

local function drop_days_before(key, day)
  for _, field in ipairs(redis.call('HKEYS', key)) do
    if tonumber(string.match(field, '^%d+')) < day then drop(key, field) end
  end
end

local function tally(verdict, by, shadow)
  local today = math.floor(now / DAY_MS)
  local field = string.format('%d|%s|%s|%d', today, by, verdict, shadow and 1 or 0)
  if add_to(KEYS[TALLY], field, '') == 1 then
    drop_days_before(KEYS[TALLY], today - TALLY_DAYS)
  end
  for _, rule in ipairs(request.rules) do
    if rule.rule == by and rule.kind == 'conversion' then
      add_to(KEYS[SAVED], rule.scope .. ':' .. rule.subject, '|refused')
    end
  end
end

local take = {}

function take.count(rule, it)
  local key = it.key
  for _, window in ipairs(rule.windows) do
    local name = tostring(window[2])
    it.counts[name] = it.counts[name] or {}
    change(key, it.counts[name], window[2], now, 1)
  end
  keep(key, rule.windows, it.stale)
end

function take.distinct(rule, it)
  local key, longest = it.key, 0
  for _, window in ipairs(rule.windows) do longest = math.max(longest, window[2]) end
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - longest)
  redis.call('ZADD', key, now, request.tag)
  redis.call('PEXPIRE', key, longest)
end

function take.conversion(rule, it)
  it.took = false
  if known then return end
  -- Nor what looks like a block of numbers that will be blocked for it.
  local prefix = block_of_numbers
  if prefix and prefix.watches and rule.mode ~= 'monitor' then prefix = nil end
  if rule.scope ~= 'prefix' and prefix and is_suspect(prefix.record) then return end
  it.took = count_sent(it.record, rule.test, now)
  it.dirty = it.dirty or it.took
end

local hold = ''

function take.money(rule, it)
  if request.cost <= 0 then return end
  local key = it.key
  hold = string.format('%s:%d', request.op, request.cost)
  -- Asked again, because an answer was lost, it is held already.
  if add_hold(KEYS[rule.holds], hold) then
    redis.call('HINCRBY', key, 'held', request.cost)
  end
  keep(key, rule.windows, it.stale)
end

function take.guessing() end

local verdict, by, wait, difficulty, shadow, shadow_by = 'pass', '', 0, USUAL, nil, nil
-- Whether it was refused, or would have been, by a rule that tells who is a customer.
local told, shadow_told = false, false
if request.action == 'send' then
  verdict, by, wait, difficulty, told = decide(false)
  local all_verdict, all_by, _, _, all_told = decide(true)
  if verdict ~= 'pass' then
    tally(verdict, by, false)
  elseif all_verdict ~= 'pass' then
    shadow, shadow_by, shadow_told = all_verdict, all_by, all_told
    tally(shadow, shadow_by, true)
  end
end

local passes = request.action == 'send' and verdict == 'pass'
local took = {}
if passes and logged_in then
  redis.call('HSET', KEYS[KNOWN], request.field, string.format('%d:%d:%d', day,
    by_anybody + (device and 0 or 1), by_device + (device and 1 or 0)))
end
for i, rule in ipairs(request.rules) do
  local it = states[i]
  local watches = rule.mode == 'monitor'
  local takes = passes and not (watches and shadow)
    or request.action == 'force' and not (watches and it.over > 0)
  -- Who asks whether a phone is known pays for it as for a send.
  if rule.own and (told or watches and shadow_told) then takes = true end
  if takes and rule.take and not it.spared then
    take[rule.kind](rule, it)
    if it.took ~= false then took[#took + 1] = rule.rule end
  end
  if it.dirty then save_conversion(it.key, it.record, rule.test) end
end
if passes and request.solved then
  redis.call('SET', KEYS[USED], request.op, 'PX', request.used_ms)
end

-- How they all stand now, where a unit was taken for the one after it.
local waits = { send = 0, call = 0, check = 0 }
local answer = {}
for i, rule in ipairs(request.rules) do
  local it = states[i]
  local found = { over_ms = it.over }
  if rule.kind == 'count' and not it.spared then
    local ahead = 0
    if rule.quota then found.windows = {} end
    for j, window in ipairs(rule.windows) do
      local entries = it.counts[tostring(window[2])] or {}
      local used, _, reset = measure(entries, window[1], window[2], 1)
      local _, until_free = measure(entries, most_of(rule, window[1]), window[2], 1)
      ahead = math.max(ahead, until_free)
      if rule.quota then
        found.windows[j] = { left = math.max(0, window[1] - used), reset_ms = reset }
      end
    end
    it.wait = ahead
  end
  local bound = not it.spared and not rule.asks and rule.mode ~= 'monitor'
    and (not tells_of_phone(rule) or rule.rule == by)
  if bound and rule.kind ~= 'guessing' then
    waits[rule.part] = math.max(waits[rule.part], it.wait)
  end
  answer[i] = found
end
return cjson.encode({
  verdict = verdict, by = by, wait_ms = wait, shadow = shadow, shadow_by = shadow_by,
  difficulty = difficulty, known = known, escalated = escalated, at_ms = now, hold = hold,
  counted = shadow == nil, took = took, rules = answer, waits = waits, changes = changes,
})
