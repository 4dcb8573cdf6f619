-- Lets a locked or disabled phone try again, or only tells how it stands.
--
-- KEYS[1]  the phone's record
-- ARGV[1]  JSON {offset_ms, limits, room?, most?}
--          room  so many wrong checks shall be allowed again; without it nothing changes
--          most  so many wrong checks may be forgiven in a day, of both budgets together
-- returns  JSON {outcome, strangers, device, forgiven, wait_ms};
--          outcome   seen | unlocked | spent (locked still, as none may be forgiven)
--          strangers, device  each {locked_ms, wrongs, in_a_row, since_right, disabled,
--                    left?}: until checks are allowed again; wrong checks of the last
--                    day that count; of them in a row; in a row over however many days;
--                    whether that is too many for any check; wrong checks allowed before
--                    a window is full, absent without windows
--          forgiven  wrong checks of the last day that do not count any more
--          wait_ms   when spent: until one more may be forgiven
--
-- Run again it changes nothing more: there is room by then.

local record = load_record()
local forgiven = recent(record.forgiven, {}, limits.day_ms)
local strangers, device = budget_of(record, false), budget_of(record, true)

local function used_of(budget, window)
  local used = 0
  for _, at in ipairs(budget.wrongs) do
    if at > now - window[2] then used = used + 1 end
  end
  return used
end

-- The place of the oldest wrong check of a window that has too little room.
local function in_the_way(budget)
  for _, window in ipairs(wrong_windows[budget]) do
    local used = used_of(budget, window)
    if used + math.min(request.room, window[1]) > window[1] then
      return #budget.wrongs - used + 1
    end
  end
  return nil
end

local function standing(budget)
  local left
  for _, window in ipairs(wrong_windows[budget]) do
    left = math.max(0, math.min(left or window[1], window[1] - used_of(budget, window)))
  end
  return {
    locked_ms = lock_wait(budget),
    wrongs = used_of(budget, { 0, limits.day_ms }),
    in_a_row = budget.in_a_row or 0,
    since_right = budget.since_right or 0,
    disabled = is_disabled(budget),
    left = left,
  }
end

local function tell(outcome, wait_ms)
  return cjson.encode({
    outcome = outcome,
    strangers = standing(strangers),
    device = standing(device),
    forgiven = #forgiven,
    wait_ms = wait_ms or 0,
  })
end

-- Whether the budget has room now.
local function open(budget)
  local place = in_the_way(budget)
  while place and #forgiven < request.most do
    table.insert(forgiven, table.remove(budget.wrongs, place))
    place = in_the_way(budget)
  end
  if window_wait(budget.wrongs, wrong_windows[budget]) > 0 then return false end
  budget.locked_until, budget.in_a_row, budget.since_right = nil, 0, nil
  return true
end

if not request.room then return tell('seen') end

-- The holder's own devices first: it is for them that somebody calls the desk.
local is_open = open(device)
is_open = open(strangers) and is_open
table.sort(forgiven)
record.forgiven = #forgiven > 0 and forgiven or nil
if redis.call('GET', KEYS[1]) then save_record(record) end
if not is_open then return tell('spent', forgiven[1] + limits.day_ms - now) end
return tell('unlocked')
