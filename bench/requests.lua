-- wrk sends the requests of the file BENCH_REQUESTS in turn, one per line: method, path and body, separated by tabs.
-- `%d` in a body becomes a different number each time, so that every PATCH changes something.
local threads = 0
local requests, at, number = {}, 0, 0

function setup(thread)
   thread:set("thread_number", threads)
   threads = threads + 1
end

function init()
   for line in io.lines(os.getenv("BENCH_REQUESTS")) do
      local method, path, body = line:match("^([^\t]*)\t([^\t]*)\t(.*)$")
      local headers = { ["Authorization"] = "Bearer " .. os.getenv("BENCH_TOKEN") }
      if body == "" then
         body = nil
      else
         headers["Content-Type"] = "application/json"
      end
      local numbered = body and body:find("%d", 1, true)
      requests[#requests + 1] = numbered and function()
         number = (number + 7) % 500
         return wrk.format(method, path, headers, body:format(number))
      end or wrk.format(method, path, headers, body)
   end
   at = thread_number * math.floor(#requests / 2)
end

function request()
   at = at % #requests + 1
   local next = requests[at]
   return type(next) == "function" and next() or next
end

-- Requests per second, the median and the 99th percentile of their latency in ms, and failures.
function done(summary, latency)
   local errors = summary.errors
   local failed = errors.status + errors.timeout + errors.connect + errors.read + errors.write
   local p50, p99 = latency:percentile(50) / 1e3, latency:percentile(99) / 1e3
   io.write(string.format("result %f %f %f %d\n", summary.requests / (summary.duration / 1e6), p50, p99, failed))
end
