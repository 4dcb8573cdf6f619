-- Tells service clients as they are stored; changes nothing.
--
-- KEYS[1]  all service clients, a hash by id
-- ARGV[1]  JSON {id?}: of one client alone
-- returns  JSON {ids, rows}, two lists, both percent-encoded; empty ones are left out

local ids, rows = {}, {}

local function tell(id, row)
  ids[#ids + 1], rows[#rows + 1] = escaped(id), escaped(row)
end

if request.id then
  local row = redis.call('HGET', KEYS[1], request.id)
  if row then tell(request.id, row) end
else
  local flat = redis.call('HGETALL', KEYS[1])
  for at = 1, #flat, 2 do tell(flat[at], flat[at + 1]) end
end
if #ids == 0 then return '{}' end
return cjson.encode({ ids = ids, rows = rows })
