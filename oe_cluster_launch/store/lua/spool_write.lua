-- Announce a job, say that it is still at work, or write how it ended.
-- KEYS[1] = job: hash of state, node, value, at (ms of this server's clock)
-- ARGV[1] = act: 'open' (must be new), 'beat' (must be there and pending), 'end' (must be there)
-- ARGV[2] = state
-- ARGV[3] = node
-- ARGV[4] = ttl: milliseconds
-- ARGV[5] = value: sealed, or ''
-- reply   = 1 when written, 0 when the job is not as the act demands.
local found = redis.call('HGET', KEYS[1], 'state')
if ARGV[1] == 'open' and found then
  return 0
end
if ARGV[1] == 'beat' and found ~= 'pending' then
  return 0
end
if ARGV[1] == 'end' and not found then
  return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HMSET', KEYS[1], 'state', ARGV[2], 'node', ARGV[3], 'value', ARGV[5],
           'at', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
