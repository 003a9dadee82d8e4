-- All that a candidate reads in one cycle, in one round trip.
-- KEYS[1] = lease: string "<token> <term> <node>"
-- KEYS[2] = term: string
-- KEYS[3] = pause: string
-- KEYS[4] = switchover: string
-- KEYS[5] = candidates: sorted set: node -> cron_priority
-- KEYS[6] = seen: sorted set: node -> when it last reported, in ms of this server's clock
-- ARGV[1] = our priority
-- ARGV[2] = member ttl: milliseconds
-- reply   = {lease or '', its remaining ms, term, pause or '', switchover or '', rival, rival, ...};
-- rivals are at most ten live candidates with a higher priority.
local time = redis.call('TIME')
local oldest = time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[2]
local answer = {
  redis.call('GET', KEYS[1]) or '',
  redis.call('PTTL', KEYS[1]),
  tonumber(redis.call('GET', KEYS[2]) or '0'),
  redis.call('GET', KEYS[3]) or '',
  redis.call('GET', KEYS[4]) or '',
}
for _, node in ipairs(redis.call('ZREVRANGEBYSCORE', KEYS[5], '+inf', '(' .. ARGV[1], 'LIMIT', 0, 10)) do
  local seen = redis.call('ZSCORE', KEYS[6], node)
  if seen and tonumber(seen) >= oldest then
    answer[#answer + 1] = node
  end
end
return answer
