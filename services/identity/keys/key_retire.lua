-- Lets a key verify no more; its private half is forgotten.
--
-- KEYS[1]  the keys
-- ARGV[1]  JSON {offset_ms, kid, built_in, alg, done_after, at_once}
--          built_in    the key that signs while no stored one is active, and its alg
--          done_after  seconds until the last token that a key signed has expired
--          at_once     rather now than then
-- returns  JSON {outcome, wait}: retired (also if it was before), too_soon with the
--          seconds to wait, active or unknown
--
-- A row that cannot be read is forgotten altogether: nobody trusts its key.

local kid, built_in = request.kid, request.built_in
if kid == (active or built_in) then return reply('active') end
local row = rows[kid]
if not row and kid == built_in then
  -- It stopped at the latest when the stored one began.
  row = { state = 'verifying', alg = request.alg, since = rows[active].since }
end
if not row and broken[kid] then
  redis.call('HDEL', KEYS[1], kid)
  return reply('retired')
end
if not row then return reply('unknown') end
if row.state == 'retired' then return reply('retired') end

local has_signed = row.state == 'verifying'
local wait = has_signed and row.since + request.done_after - now or 0
if wait > 0 and not request.at_once then return reply('too_soon', wait) end

row.state, row.since, row.sealed = 'retired', now, nil
save(kid, row)
return reply('retired')
