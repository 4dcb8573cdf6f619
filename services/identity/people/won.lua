-- What a won check wins. Stands in front of the script that decides one, and behind
-- person.lua; that script calls `on_win` for a right code, and shows what it returns.
--
-- KEYS[2]  the phone's sessions
-- KEYS[3]  the person's record
-- prize    {sub, rules?, id?, session?, adopt?}
--          sub      who holds the phone unless the record says otherwise
--          id       the session's random part; run again with it, nothing changes
--          session  {client, phone, device?, scope?}; without it only the holder is told
--          adopt    {sub, from}: the person `sub` moves here from the phone `from`
-- facts    {now, channel, logged_in_at?} of the phone
-- returns  {outcome, ...}: named (with sub and amr), opened (the session, and how many
--          were `evicted`), frozen or in_use (none was made); then whether it is a login

-- RFC 8176; a message in another app is neither an SMS nor a call.
local AMR = { voice = 'tel', whatsapp = 'otp' }

-- Somebody else's: by a login that the phone still remembers, or by a decision.
local function is_in_use(person, sessions, facts)
  return facts.logged_in_at or next(sessions) ~= nil or person.moved_in or person.roles
end

local function evict(sessions, most, new)
  local count, evicted = 0, 0
  for _ in pairs(sessions) do count = count + 1 end
  while count > most do
    local oldest
    for id, session in pairs(sessions) do
      if id ~= new and (not oldest or session.created < sessions[oldest].created) then
        oldest = id
      end
    end
    sessions[oldest] = nil
    count, evicted = count - 1, evicted + 1
  end
  return evicted
end

local function on_win(prize, facts)
  local person = load_person(KEYS[3])
  local subject, amr = person.sub or prize.sub, AMR[facts.channel]
  if not prize.session then
    return { outcome = 'named', sub = subject, amr = amr or 'sms' }, false
  end

  local id, rules = prize.id, prize.rules
  local sessions = load_sessions(KEYS[2], facts.now, rules)
  if sessions[id] then
    return answer_with('opened', id, sessions[id], person, facts.now, rules), true
  end
  if person.frozen then return { outcome = 'frozen' }, false end
  if prize.adopt then
    if is_in_use(person, sessions, facts) then return { outcome = 'in_use' }, false end
    subject = prize.adopt.sub
    person.sub, person.moved_in, person.coming_from = subject, true, prize.adopt.from
    -- Who comes back is not to be looked for where they went.
    if person.moved then person.moved[subject] = nil end
    save_person(KEYS[3], person)
  end

  local session = prize.session
  session.sub, session.created, session.amr = subject, facts.now, amr
  sessions[id] = session
  local evicted = evict(sessions, rules.most, id)
  save_sessions(KEYS[2], sessions, facts.now, rules)
  local result = answer_with('opened', id, session, person, facts.now, rules)
  result.evicted = evicted
  return result, true
end
