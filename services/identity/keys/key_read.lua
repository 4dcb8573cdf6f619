-- Tells all rows; changes nothing.
--
-- KEYS[1]  the keys
-- ARGV[1]  JSON {offset_ms}
-- returns  JSON {rows}, an object by kid; of a row that cannot be read only {state},
--          which is `unreadable`

for kid in pairs(broken) do
  -- A field of other bytes would break the reply.
  rows[(string.gsub(kid, '[^%w_-]', '?'))] = { state = 'unreadable' }
end
return cjson.encode({ rows = rows })
