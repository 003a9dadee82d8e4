-- Keeps one association of an OpenID provider, at least for some time.
--
-- KEYS[1] = hash of the provider's associations by handle
-- ARGV[1] = handle   ARGV[2] = sealed association   ARGV[3] = how long to keep it, in ms
-- reply   = 1 when the handle is new, else 0
local is_new = redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return is_new
