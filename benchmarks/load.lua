-- Sends prepared requests, each once, and counts the answers by status.
--
-- arg 1  file of the requests: one body a line for POST, one path a line for GET
-- arg 2  method
-- arg 3  path for POST
-- arg 4  file for the answers' bodies, or "-"
-- then   headers: a name, its value, and so on
-- Prints one JSON object when done. Runs on one thread.

local requests, answers = {}, nil
issued, ran_out, statuses = 0, false, {}

function init(args)
  local headers = {}
  for i = 5, #args, 2 do headers[args[i]] = args[i + 1] end
  for line in io.lines(args[1]) do
    requests[#requests + 1] = args[2] == "GET" and wrk.format("GET", line, headers)
      or wrk.format("POST", args[3], headers, line)
  end
  if args[4] ~= "-" then answers = io.open(args[4], "w") end
end

function request()
  issued = issued + 1
  if issued > #requests then ran_out = true end
  return requests[(issued - 1) % #requests + 1]
end

function response(status, headers, body)
  statuses[status] = (statuses[status] or 0) + 1
  if answers then answers:write(body, "\n") answers:flush() end
end

local thread
function setup(it) thread = it end

function done(summary, latency)
  local counts = {}
  for status, count in pairs(thread:get("statuses")) do
    counts[#counts + 1] = string.format('"%d":%d', status, count)
  end
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%.6f,"p50_ms":%.3f,"p99_ms":%.3f,"issued":%d,'
      .. '"ran_out":%s,"broken":%d,"statuses":{%s}}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000,
    latency:percentile(99) / 1000, thread:get("issued"), tostring(thread:get("ran_out")),
    errors.connect + errors.read + errors.write + errors.timeout,
    table.concat(counts, ",")))
end
