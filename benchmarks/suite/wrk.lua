-- Sends prepared requests in turn and counts failures.
-- wrk ... -s wrk.lua URL -- REQUESTS.lua
-- REQUESTS.lua returns {requests = {{method=, path=, headers=, body=}, ...}, sound = TEXT or nil}:
-- an answer counts as failed when its status is not 200 or, with `sound`, when TEXT is not in its body.
local prepared, place, sound, threads = {}, 0, nil, {}
failed = 0

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  local work = dofile(args[1])
  for _, each in ipairs(work.requests) do
    prepared[#prepared + 1] = wrk.format(each.method, each.path, each.headers, each.body)
  end
  sound = work.sound
  if sound then
    response = function(status, headers, body)
      if status ~= 200 or not string.find(body, sound, 1, true) then failed = failed + 1 end
    end
  end
end

function request()
  place = place % #prepared + 1
  return prepared[place]
end

function done(summary, latency, requests)
  local errors, all_failed = summary.errors, 0
  for _, thread in ipairs(threads) do all_failed = all_failed + thread:get("failed") end
  if all_failed < errors.status then all_failed = errors.status end
  io.write(string.format(
    'RESULT {"requests": %d, "microseconds": %d, "failed": %d, "p50": %.1f, "p95": %.1f, "p99": %.1f}\n',
    summary.requests, summary.duration, all_failed + errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(95), latency:percentile(99)))
end
