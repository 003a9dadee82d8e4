-- Give the cron lease up, only by its owner, and tell why in the history.
-- KEYS[1] = lease: string "<token> <term> <node>"
-- KEYS[2] = tenure: hash of the open tenure, closed here
-- KEYS[3] = history: list of JSON, newest first
-- ARGV[1] = value: the whole string we were given the lease with
-- ARGV[2] = why: a sentence
-- ARGV[3] = history length
-- ARGV[4] = channel: where a change of leader is announced
-- ARGV[5] = unfinished: 1 when the owner cannot tell whether its sessions in PostgreSQL have ended
-- reply   = 1, or 0 when the lease is not ours.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[1])
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local open = redis.call('HMGET', KEYS[2], 'term', 'node', 'since_ms')
if open[1] then
  redis.call('LPUSH', KEYS[3], cjson.encode({
    term = open[1], node = open[2], since_ms = open[3], until_ms = now, why = ARGV[2]}))
  redis.call('LTRIM', KEYS[3], 0, ARGV[3] - 1)
  redis.call('DEL', KEYS[2])
end
if ARGV[5] == '1' then
  redis.call('HSET', KEYS[2], 'unfinished', string.match(ARGV[1], '^%S+ (%d+)'))
end
redis.call('PUBLISH', ARGV[4], 'released')
return 1
