-- What the scripts of the signing keys share. Put in front of each of them; see
-- store.py for the shape of a row. Times are Unix seconds.
--
-- A row that cannot be read counts as none, so that it stops nothing; `broken` has it.

local request = cjson.decode(ARGV[1])
local now = tonumber(redis.call('TIME')[1]) + math.floor(request.offset_ms / 1000)

local STATES = { published = true, active = true, verifying = true, retired = true }

local function is_text(value, pattern)
  return type(value) == 'string' and string.find(value, pattern) ~= nil
end

local function is_moment(value)
  -- Nor infinite, nor NaN; the last one is the end of the year 9999.
  return type(value) == 'number' and value >= 0 and value <= 253402300799
    and value == math.floor(value)
end

-- Takes nothing along that a reply could not hold.
local function row_of(text)
  local is_json, row = pcall(cjson.decode, text)
  if not is_json or type(row) ~= 'table' or not STATES[row.state] then return nil end
  if not is_text(row.alg, '^%w+$') or not is_moment(row.since) then return nil end
  local sealed = row.sealed
  if sealed ~= nil and not is_text(sealed, '^[%w_-]+$') then return nil end
  return { state = row.state, alg = row.alg, since = row.since, sealed = sealed }
end

local rows, broken, active = {}, {}, nil
local flat = redis.call('HGETALL', KEYS[1])
for at = 1, #flat, 2 do
  local kid = flat[at]
  local row = is_text(kid, '^[%w_-]+$') and row_of(flat[at + 1])
  if row then
    rows[kid] = row
    if row.state == 'active' then active = kid end
  else
    broken[kid] = true
  end
end

local function save(kid, row)
  redis.call('HSET', KEYS[1], kid, cjson.encode(row))
end

local function reply(outcome, wait)
  return cjson.encode({ outcome = outcome, wait = wait or 0 })
end
