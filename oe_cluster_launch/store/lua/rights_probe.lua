-- Tries each command that scripts and nodes use, on keys of its own, and deletes these: nothing is
-- left, and nobody sees them. For the doctor: an ACL, a replica or a full memory shows only then.
--
-- KEYS[1] = a key of ours that does not exist
-- KEYS[2] = another
-- reply   = list: `COMMAND: the server's complaint`, one per command that was refused.
local a, b = KEYS[1], KEYS[2]
local refused = {}

local function try(...)
  local reply = redis.pcall(...)
  if type(reply) == 'table' and reply.err then
    refused[#refused + 1] = (select(1, ...)) .. ': ' .. reply.err
  end
end

try('TIME')
try('SET', a, '1', 'PX', 1000)
try('GET', a) try('MGET', a) try('EXISTS', a) try('INCR', a) try('PEXPIRE', a, 1000) try('PTTL', a)
try('RENAME', a, b)
try('DEL', a, b)

try('HSET', a, 'f', '1') try('HMSET', a, 'f', '1') try('PEXPIRE', a, 1000)
try('HGET', a, 'f') try('HMGET', a, 'f') try('HGETALL', a) try('HKEYS', a) try('HDEL', a, 'f')
try('DEL', a)

try('LPUSH', a, '1') try('RPUSH', a, '1') try('PEXPIRE', a, 1000)
try('LSET', a, 0, '1') try('LINDEX', a, 0) try('LRANGE', a, 0, -1) try('LLEN', a) try('LTRIM', a, 0, 1)
try('DEL', a)

try('ZADD', a, 1, 'm') try('PEXPIRE', a, 1000)
try('ZSCORE', a, 'm') try('ZRANGE', a, 0, -1) try('ZRANGEBYSCORE', a, 0, 1) try('ZREVRANGEBYSCORE', a, 1, 0)
try('ZREMRANGEBYSCORE', a, 5, 6) try('ZREM', a, 'm')
try('DEL', a, b)
return refused
