-- Lets one key sign from now on; the one that did so far goes on verifying.
--
-- KEYS[1]  the keys
-- ARGV[1]  JSON {offset_ms, kid, built_in, alg, seen_after, at_once}
--          built_in    the key that signs while no stored one is active, and its alg
--          seen_after  seconds until every verifier knows a key that was published
--          at_once     rather now than then
-- returns  JSON {outcome, wait}: active (also if it was before), too_soon with the
--          seconds to wait, retired or unknown
--
-- The built-in key signs as soon as nothing is active: it needs no row for that.

local kid, built_in = request.kid, request.built_in
local row = rows[kid]
local needs_no_row = kid == built_in and not (row and row.sealed)
if not row and not needs_no_row then return reply('unknown') end
if row and row.state == 'retired' then return reply('retired') end
if active == kid or (needs_no_row and not active) then return reply('active') end

local is_new = row and row.state == 'published' and kid ~= built_in
local wait = is_new and row.since + request.seen_after - now or 0
if wait > 0 and not request.at_once then return reply('too_soon', wait) end

local last = active or built_in
local left = rows[last] or { alg = request.alg }
if last ~= kid then
  left.state, left.since = 'verifying', now
  save(last, left)
end
if needs_no_row then
  redis.call('HDEL', KEYS[1], kid)
else
  row.state, row.since = 'active', now
  save(kid, row)
end
return reply('active')
