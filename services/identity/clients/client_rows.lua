-- What the scripts of the service clients share. Put in front of each of them.

local request = cjson.decode(ARGV[1])

-- A row is told, and compared, percent-encoded: one that is no text would make the whole
-- answer unreadable.
local function escaped(text)
  return (string.gsub(text, '[^ !"#$&-~]', function(byte)
    return string.format('%%%02X', string.byte(byte))
  end))
end
