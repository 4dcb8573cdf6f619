-- What the scripts of a phone share. Put in front of each of them; see store.py for
-- the shape of the record. Times are Unix milliseconds, durations milliseconds.
--
-- A phone has two budgets of sends and wrong checks: the record's own fields are that of
-- strangers, `record.device` that of devices it logged in on. What one of them uses up
-- or locks leaves the other as it is.

local request = cjson.decode(ARGV[1])
local limits = request.limits
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) + request.offset_ms

-- Entries of a log that are younger than the longest of its windows, and `at_least`.
local function recent(log, windows, at_least)
  local longest = at_least
  for _, window in ipairs(windows) do longest = math.max(longest, window[2]) end
  local kept = {}
  for _, at in ipairs(log or {}) do
    if at > now - longest then kept[#kept + 1] = at end
  end
  return kept
end

-- How long until the log may take one more entry.
local function window_wait(log, windows)
  local wait = 0
  for _, window in ipairs(windows) do
    local capacity, length = window[1], window[2]
    local oldest = log[#log - capacity + 1]
    if oldest then wait = math.max(wait, oldest + length - now) end
  end
  return wait
end

-- The windows of wrong checks, by budget.
local wrong_windows = {}

local function tidy(budget, windows)
  wrong_windows[budget] = windows
  local calm = #limits.cooldowns > 0 and limits.calm_ms or 0
  budget.sends = recent(budget.sends, limits.sends, calm)
  budget.wrongs = recent(budget.wrongs, windows, #limits.locks > 0 and limits.day_ms or 0)
  if #budget.wrongs == 0 then budget.in_a_row = 0 end
end

-- The budget that binds strangers, or devices that the phone logged in on.
local function budget_of(record, by_device)
  if not by_device then return record end
  if not record.device then
    record.device = {}
    tidy(record.device, limits.device_wrongs)
  end
  return record.device
end

local function load_record()
  local stored = redis.call('GET', KEYS[1])
  local record = stored and cjson.decode(stored) or {}
  tidy(record, limits.wrongs)
  if record.device then tidy(record.device, limits.device_wrongs) end
  if record.logged_in_at and record.logged_in_at + limits.known_ms <= now then
    record.logged_in_at = nil
  end
  if not record.logged_in_at then record.known_since = nil end
  record.verifications = record.verifications or {}
  for id, verification in pairs(record.verifications) do
    if verification.expires + limits.remember_ms <= now then
      record.verifications[id] = nil
    end
  end
  return record
end

local function is_used(budget)
  return #budget.sends > 0 or #budget.wrongs > 0 or budget.since_right
    or math.max(budget.locked_until or 0, budget.cooldown_until or 0) > now
end

local function save_record(record)
  if record.device and not is_used(record.device) then record.device = nil end
  local keep = limits.keep_ms
  if record.logged_in_at then keep = math.max(keep, record.logged_in_at + limits.known_ms - now) end
  for _, budget in ipairs({ record, record.device }) do
    for _, step in ipairs(limits.keep_wrongs) do
      if (budget.since_right or 0) >= step[1] then keep = math.max(keep, step[2]) end
    end
  end
  redis.call('SET', KEYS[1], cjson.encode(record), 'PX', keep)
end

-- Whether a device shows that the phone logged in on it, and is still that holder's.
local function is_known(record)
  return (request.device_at and record.known_since
    and request.device_at >= record.known_since) or false
end

-- So many wrong checks in a row, over however many days, that no wait ends it.
local function is_disabled(budget)
  return (budget.since_right or 0) >= limits.disable_after
end

-- Locked by the ladder, or out of wrong checks for the day.
local function lock_wait(budget)
  local wait = math.max(0, (budget.locked_until or 0) - now)
  return math.max(wait, window_wait(budget.wrongs, wrong_windows[budget]))
end

-- How long until a send is allowed, and the name of what binds longest.
local function send_wait(budget)
  local wait, name = lock_wait(budget), 'phone_locked'
  local cooldown = (budget.cooldown_until or 0) - now
  if cooldown > wait then wait, name = cooldown, 'resend_cooldown' end
  local window = window_wait(budget.sends, limits.sends)
  if window > wait then wait, name = window, 'sends_per_phone' end
  return wait, name
end

local function state_of(verification)
  if not verification then return 'none' end
  if verification.state then return verification.state end
  if verification.expires <= now then return 'expired' end
  return 'pending'
end

-- Why nothing may be sent on a channel; nil where something may.
local function closed_by(record, channel)
  local closed = record.closed and record.closed[channel]
  return closed and closed[1] > now and closed[2] or nil
end

-- Nothing more on a channel for a while. What closes it for longer stays.
local function close(record, closings)
  for _, closing in ipairs(closings) do
    record.closed = record.closed or {}
    local before, until_ms = record.closed[closing.channel], now + closing.ms
    if not before or before[1] < until_ms then
      record.closed[closing.channel] = { until_ms, closing.reason }
    end
  end
end

-- How long until a call is allowed, and the name of what binds; nil where it takes a
-- message first. Where no text can arrive, or `channels` has nothing but calls for this
-- number, a call need not wait for one. What allows it must still hold when the wait,
-- told in whole seconds, is over.
local function voice_wait(record, budget, channels)
  local wait, name = send_wait(budget)
  local open = now + math.ceil(wait / 1000) * 1000
  local closed = record.closed and record.closed.sms
  if closed and closed[1] > open then return wait, name end
  if channels and #channels == 1 and channels[1] == 'voice' then return wait, name end
  for _, at in ipairs(budget.sends) do
    local after_message = at + limits.voice_after_ms
    if at > math.max(open, after_message) - limits.calm_ms then
      if after_message > open then return after_message - now, 'voice_after_message' end
      return wait, name
    end
  end
  return nil
end

-- More than a verification could ever be sent.
local SPENT = 1000000

-- How often each provider was used, by channel, in the first `most` messages.
local function count_uses(verification, most)
  local uses = {}
  for i = 1, most do
    local name, channel = verification.sends[i][1], verification.sends[i][3] or 'sms'
    uses[channel] = uses[channel] or {}
    uses[channel][name] = (uses[channel][name] or 0) + 1
  end
  return uses
end

-- The channel and provider to use: the one this verification used least, of the first
-- channel in `plans` that is open. A provider counts as unused until each of its
-- senders was used. With `unused`, one that was not used at all, or none.
-- Returns {name, delivery}, the channel, and the uses by channel and name.
local function choose(record, verification, plans, unused)
  local uses = count_uses(verification, #verification.sends)
  local chosen, on, least
  for _, plan in ipairs(plans) do
    if not closed_by(record, plan[1]) then
      for _, provider in ipairs(plan[2]) do
        local count = (uses[plan[1]] or {})[provider[1]] or 0
        local rank = count + (count >= provider[3] and SPENT or 0)
        if (not least or rank < least) and not (unused and count > 0) then
          chosen, on, least = { provider[1], provider[2] }, plan[1], rank
        end
      end
    end
  end
  return chosen, on, uses
end

-- The message bears the time of its admission, where there was one: who counted it then
-- finds it again by that.
local function add_send(budget, verification, chosen, channel)
  table.insert(verification.sends, { chosen[1], chosen[2], channel, request.admitted_ms or now })
  verification.send_op = request.op
  table.insert(budget.sends, now)
end

-- The part that every answer shares; waits are those of the budget that binds.
local function answer(outcome, record, verification, budget)
  local last = verification and verification.sends[#verification.sends] or {}
  return {
    outcome = outcome,
    state = state_of(verification),
    attempts_left = verification and verification.left or 0,
    attempt = verification and #verification.sends or 0,
    provider = last[1],
    delivery = last[2],
    channel = last[3],
    channels = verification and verification.channels,
    closed = record.closed and {
      sms = closed_by(record, 'sms'),
      whatsapp = closed_by(record, 'whatsapp'),
      voice = closed_by(record, 'voice'),
    } or nil,
    disabled = is_disabled(budget) or nil,
    voice_wait_ms = (voice_wait(record, budget,
      verification and verification.channels or request.channels)),
    expires_ms = verification and math.max(0, verification.expires - now) or 0,
    send_wait_ms = (send_wait(budget)),
    check_wait_ms = lock_wait(budget),
  }
end
