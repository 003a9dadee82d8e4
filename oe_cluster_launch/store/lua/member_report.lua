-- Write a node's membership record and note when it was heard of.
-- KEYS[1] = member: string, JSON of the record, expires after the TTL
-- KEYS[2] = seen: sorted set: node -> when it last reported, in ms of this server's clock
-- KEYS[3] = candidates: sorted set: node -> cron_priority, only nodes that may lead
-- ARGV[1] = node
-- ARGV[2] = record: JSON
-- ARGV[3] = ttl: milliseconds
-- ARGV[4] = priority: or '' when this node must not lead now
-- ARGV[5] = keep: milliseconds after which a silent node is forgotten altogether
-- reply   = the record that was there before, or ''.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local before = redis.call('GET', KEYS[1]) or ''
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('ZADD', KEYS[2], now, ARGV[1])
if ARGV[4] == '' then
  redis.call('ZREM', KEYS[3], ARGV[1])
else
  redis.call('ZADD', KEYS[3], ARGV[4], ARGV[1])
end
local forgotten = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - ARGV[5])
for _, node in ipairs(forgotten) do
  redis.call('ZREM', KEYS[2], node)
  redis.call('ZREM', KEYS[3], node)
end
return before
