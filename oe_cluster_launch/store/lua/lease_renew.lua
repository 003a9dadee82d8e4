-- Prolong the cron lease, only for its owner.
-- KEYS[1] = lease: string "<token> <term> <node>"
-- KEYS[2] = tenure: hash, renewed_ms is updated
-- ARGV[1] = value: the whole string we were given the lease with
-- ARGV[2] = ttl: milliseconds
-- reply   = 1, or 0 when the lease is not ours.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local time = redis.call('TIME')
redis.call('HSET', KEYS[2], 'renewed_ms', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)))
return 1
