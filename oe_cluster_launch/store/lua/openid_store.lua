-- Keeps one association of an OpenID provider, at least as long as it is valid.
--
-- KEYS[1] = hash of the provider's associations by handle
-- ARGV[1] = handle   ARGV[2] = sealed association   ARGV[3] = how long it is valid, in ms
-- reply   = 1 when the handle is new, else 0; nothing is kept of one that has expired
local life = tonumber(ARGV[3])
if life <= 0 then
  return redis.call('HDEL', KEYS[1], ARGV[1]) * 0
end
local is_new = redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
if redis.call('PTTL', KEYS[1]) < life then
  redis.call('PEXPIRE', KEYS[1], life)
end
return is_new
