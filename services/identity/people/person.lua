-- What the scripts about people share. Put in front of each of them; records.py and
-- people.py have the shape of the two values. Times are Unix milliseconds. Nothing here
-- runs by itself, as it also stands in front of the script that decides a check.

local function clock(offset_ms)
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000) + offset_ms
end

local function load_person(key)
  local stored = redis.call('GET', key)
  return stored and cjson.decode(stored) or {}
end

-- A record of which nothing is left is no record.
local function save_person(key, person)
  if person.roles and #person.roles == 0 then person.roles = nil end
  if person.moved and next(person.moved) == nil then person.moved = nil end
  if next(person) == nil then
    redis.call('DEL', key)
  else
    redis.call('SET', key, cjson.encode(person))
  end
end

-- When a session ends unless it is refreshed.
local function end_of(session, rules)
  local used = session.used or session.created
  return math.min(session.created + rules.max_ms, used + rules.idle_ms)
end

-- The sessions that live, by their random part.
local function load_sessions(key, now, rules)
  local stored = redis.call('GET', key)
  local sessions = stored and cjson.decode(stored).sessions or {}
  for id, session in pairs(sessions) do
    if end_of(session, rules) <= now then sessions[id] = nil end
  end
  return sessions
end

local function save_sessions(key, sessions, now, rules)
  local last = now
  for _, session in pairs(sessions) do last = math.max(last, end_of(session, rules)) end
  if last > now then
    redis.call('SET', key, cjson.encode({ sessions = sessions }), 'PX', last - now)
  else
    redis.call('DEL', key)
  end
end

-- One session, as every answer shows it.
local function show(id, session, now, rules)
  return { id = id, session = session, at_ms = now, ends_ms = end_of(session, rules) }
end

-- The same for the answer that is about this one alone.
local function answer_with(outcome, id, session, person, now, rules)
  local result = show(id, session, now, rules)
  result.outcome, result.roles, result.coming_from = outcome, person.roles, person.coming_from
  return result
end
