-- Lets a locked phone try again, or only tells how it stands.
--
-- KEYS[1]  the phone's record
-- ARGV[1]  JSON {offset_ms, limits, room?, most?}
--          room  so many wrong checks shall be allowed again; without it nothing changes
--          most  so many wrong checks may be forgiven in a day
-- returns  JSON {outcome, locked_ms, wrongs, in_a_row, left?, forgiven, wait_ms};
--          outcome   seen | unlocked | spent (locked still, as none may be forgiven)
--          locked_ms until checks are allowed again
--          wrongs    wrong checks of the last day that count
--          left      wrong checks allowed before a window is full; absent without windows
--          forgiven  wrong checks of the last day that do not count any more
--          wait_ms   when spent: until one more may be forgiven
--
-- Run again it changes nothing more: there is room by then.

local record = load_record()
local forgiven = recent(record.forgiven, {}, limits.day_ms)

local function used_of(window)
  local used = 0
  for _, at in ipairs(record.wrongs) do
    if at > now - window[2] then used = used + 1 end
  end
  return used
end

-- The place of the oldest wrong check of a window that has too little room.
local function in_the_way()
  for _, window in ipairs(limits.wrongs) do
    local used = used_of(window)
    if used + math.min(request.room, window[1]) > window[1] then
      return #record.wrongs - used + 1
    end
  end
  return nil
end

local function tell(outcome, wait_ms)
  local left
  for _, window in ipairs(limits.wrongs) do
    left = math.max(0, math.min(left or window[1], window[1] - used_of(window)))
  end
  return cjson.encode({
    outcome = outcome,
    locked_ms = lock_wait(record),
    wrongs = used_of({ 0, limits.day_ms }),
    in_a_row = record.in_a_row or 0,
    left = left,
    forgiven = #forgiven,
    wait_ms = wait_ms or 0,
  })
end

if not request.room then return tell('seen') end

local place = in_the_way()
while place and #forgiven < request.most do
  table.insert(forgiven, table.remove(record.wrongs, place))
  place = in_the_way()
end
if window_wait(record.wrongs, limits.wrongs) > 0 then
  local oldest = math.min(unpack(forgiven))
  return tell('spent', oldest + limits.day_ms - now)
end
record.locked_until, record.in_a_row = nil, 0
record.forgiven = #forgiven > 0 and forgiven or nil
if #record.wrongs > 0 or record.forgiven then save_record(record) end
return tell('unlocked')
