-- Give the owner of the cron lease a higher term: Redis forgot what a database remembers.
-- KEYS[1] = lease: string "<token> <term> <node>"
-- KEYS[2] = term: string, the highest term ever given out
-- KEYS[3] = tenure: hash of the open tenure
-- ARGV[1] = value: the whole string we were given the lease with
-- ARGV[2] = token
-- ARGV[3] = node
-- ARGV[4] = floor: the newest term seen in a database
-- ARGV[5] = ttl: milliseconds
-- reply   = the new term, or 0 when the lease is not ours.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
local term = math.max(tonumber(redis.call('GET', KEYS[2]) or '0'), tonumber(ARGV[4])) + 1
local text = string.format('%.0f', term)
redis.call('SET', KEYS[2], text)
redis.call('SET', KEYS[1], ARGV[2] .. ' ' .. text .. ' ' .. ARGV[3], 'PX', ARGV[5])
redis.call('HSET', KEYS[3], 'term', text)
return term
