-- What wrk asks for; the environment says which: BENCH_CASE, BENCH_TOKEN.
local case = os.getenv("BENCH_CASE")
local headers = { ["Authorization"] = "Bearer " .. (os.getenv("BENCH_TOKEN") or "") }
local searches = { "ama", "river+ni", "gold", "the+qu", "sil+mo" }
local number = 0

-- Each thread begins elsewhere, and the same in every run.
local threads = 0
function setup(thread)
   thread:set("seed", threads)
   threads = threads + 1
end
function init()
   math.randomseed(seed or 0)
end

function request()
   if case == "bare" then
      return wrk.format("GET", "/")
   elseif case == "one" then
      return wrk.format("GET", "/movie/" .. math.random(1, 10000), headers)
   elseif case == "page" then
      return wrk.format("GET", "/movie?sort=title&limit=50", headers)
   elseif case == "search" then
      return wrk.format("GET", "/movie?limit=50&q=" .. searches[math.random(#searches)], headers)
   end
   number = number + 1
   headers["Content-Type"] = "application/json"
   local body = string.format('{"title":"Load %d of %d","movieFormat":"DVD","length":90,"releaseYear":1999,"rating":3}', number, seed or 0)
   return wrk.format("POST", "/movie", headers, body)
end

function done(summary)
   local failed = summary.errors.status + summary.errors.timeout + summary.errors.connect + summary.errors.read
   io.write(string.format("result %d %d\n", summary.requests / (summary.duration / 1e6), failed))
end
