-- What the scripts of a phone share. Put in front of each of them; see store.py for
-- the shape of the record. Times are Unix milliseconds, durations milliseconds.

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

local function load_record()
  local stored = redis.call('GET', KEYS[1])
  local record = stored and cjson.decode(stored) or {}
  record.sends = recent(record.sends, limits.sends, #limits.cooldowns > 0 and limits.calm_ms or 0)
  record.wrongs = recent(record.wrongs, limits.wrongs, #limits.locks > 0 and limits.day_ms or 0)
  if #record.wrongs == 0 then record.in_a_row = 0 end
  if record.logged_in_at and record.logged_in_at + limits.known_ms <= now then
    record.logged_in_at = nil
  end
  record.verifications = record.verifications or {}
  for id, verification in pairs(record.verifications) do
    if verification.expires + limits.remember_ms <= now then
      record.verifications[id] = nil
    end
  end
  return record
end

local function save_record(record)
  local keep = limits.keep_ms
  if record.logged_in_at then keep = math.max(keep, record.logged_in_at + limits.known_ms - now) end
  redis.call('SET', KEYS[1], cjson.encode(record), 'PX', keep)
end

-- Locked by the ladder, or out of wrong checks for the day.
local function lock_wait(record)
  local wait = math.max(0, (record.locked_until or 0) - now)
  return math.max(wait, window_wait(record.wrongs, limits.wrongs))
end

-- How long until a send is allowed, and the name of what binds longest.
local function send_wait(record)
  local wait, name = lock_wait(record), 'phone_locked'
  local cooldown = (record.cooldown_until or 0) - now
  if cooldown > wait then wait, name = cooldown, 'resend_cooldown' end
  local window = window_wait(record.sends, limits.sends)
  if window > wait then wait, name = window, 'sends_per_phone' end
  return wait, name
end

local function state_of(verification)
  if not verification then return 'none' end
  if verification.state then return verification.state end
  if verification.expires <= now then return 'expired' end
  return 'pending'
end

-- The part that every answer shares.
local function answer(outcome, record, verification)
  local last = verification and verification.sends[#verification.sends] or {}
  return {
    outcome = outcome,
    state = state_of(verification),
    attempts_left = verification and verification.left or 0,
    attempt = verification and #verification.sends or 0,
    provider = last[1],
    delivery = last[2],
    expires_ms = verification and math.max(0, verification.expires - now) or 0,
    send_wait_ms = (send_wait(record)),
    check_wait_ms = lock_wait(record),
  }
end
