-- Tells all rows; changes nothing.
--
-- KEYS[1]  the keys
-- ARGV[1]  JSON {offset_ms}
-- returns  JSON {rows}, an object by kid

return cjson.encode({ rows = rows })
