-- Counts a wrong check against everybody's, and says when so many are guessed that the
-- service escalates.
--
-- KEYS[1]  guess:{all}      KEYS[2]  wrong:{all}
-- ARGV[1]  JSON {offset_ms, digits?, right?, capacity, window_ms, base_factor, base_share,
--          calm_ms}
--          digits    of the code that was guessed at; right: a right one was typed; without
--                    either only look
--          capacity  wrong checks in a window that are never too many
-- returns  JSON {ends, hour, threshold, changed, wrong: {"<digits>": count of 24 hours}}
--          ends      until when it is escalated; not after now: it is not
--          hour      wrong checks of the last window
--          changed   escalated | calmed, when this call did it
--
-- The record: t, counts of five minutes by their number; n and r, the wrong and
-- the right since base was brought up to date (rolled); base, the wrong checks of a usual
-- hour, decaying over a week, in which hours of escalation do not count. No more than a
-- share of the right ones does, or a patient guesser would make guessing usual.

local SLICE_MS, HOUR_MS, WEEK_HOURS = 300000, 3600000, 168
local stored = redis.call('GET', KEYS[1])
local record = stored and cjson.decode(stored) or { t = {}, base = 0, ends = 0, rolled = now }

local was = record.on == true
if request.digits then
  local slice = tostring(math.floor(now / SLICE_MS))
  record.t[slice] = (record.t[slice] or 0) + 1
  record.n = (record.n or 0) + 1
end
if request.right then record.r = (record.r or 0) + 1 end
local hour = 0
for name, count in pairs(record.t) do
  if (tonumber(name) + 1) * SLICE_MS + request.window_ms <= now then
    record.t[name] = nil
  else
    hour = hour + count
  end
end
if now - record.rolled >= HOUR_MS then
  local hours = math.floor((now - record.rolled) / HOUR_MS)
  local fade = math.exp(-hours / WEEK_HOURS)
  if record.ends <= now then
    local usual = math.min(record.n or 0, request.base_share * (record.r or 0))
    record.base = record.base * fade + usual / hours * (1 - fade)
  end
  record.n, record.r = 0, 0
  record.rolled = record.rolled + hours * HOUR_MS
end
local threshold = math.max(request.capacity, request.base_factor * record.base)
if request.capacity > 0 and hour >= threshold then record.ends = now + request.calm_ms end
record.on = record.ends > now
local changed
if record.on ~= was then changed = record.on and 'escalated' or 'calmed' end
if request.digits or request.right or changed then
  redis.call('SET', KEYS[1], cjson.encode(record), 'PX', 8 * 86400000)
end

local this_hour = math.floor(now / HOUR_MS)
if request.digits then
  redis.call('HINCRBY', KEYS[2], string.format('%d:%d', request.digits, this_hour), 1)
  redis.call('PEXPIRE', KEYS[2], 26 * HOUR_MS)
end
local wrong = {}
local flat = redis.call('HGETALL', KEYS[2])
for i = 1, #flat, 2 do
  local digits, at = string.match(flat[i], '^(%d+):(%d+)$')
  if tonumber(at) <= this_hour - 24 then
    redis.call('HDEL', KEYS[2], flat[i])
  else
    wrong[digits] = (wrong[digits] or 0) + tonumber(flat[i + 1])
  end
end
return cjson.encode({ ends = record.ends, hour = hour, threshold = threshold,
  changed = changed, wrong = wrong, at_ms = now })
