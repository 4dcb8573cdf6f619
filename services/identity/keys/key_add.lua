-- Publishes a key ahead of its use.
--
-- KEYS[1]  the keys
-- ARGV[1]  JSON {offset_ms, kid, alg, sealed}
-- returns  JSON {outcome}: published, or known when there is such a key

local row = rows[request.kid]
if row then return reply(row.sealed == request.sealed and 'published' or 'known') end
save(request.kid, {
  state = 'published', alg = request.alg, since = now, sealed = request.sealed,
})
return reply('published')
