-- Puts another seal in the place of one, if it is still there.
--
-- KEYS[1]  the keys
-- ARGV[1]  JSON {offset_ms, kid, before, sealed}
-- returns  JSON {outcome}: sealed, or changed when somebody was faster

local row = rows[request.kid]
if not row or row.sealed ~= request.before then return reply('changed') end
row.sealed = request.sealed
save(request.kid, row)
return reply('sealed')
