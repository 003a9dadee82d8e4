-- Ends a session at once, whoever is using it: log-out everywhere, revocation.
--
-- KEYS[1] = the session's hash
-- ARGV[1] = id of the session   ARGV[2] = start of the keys of the indexes
-- reply   = 1 when there was such a session, else 0
for owner in string.gmatch(redis.call('HGET', KEYS[1], '#owners') or '', '%S+') do
  redis.call('ZREM', ARGV[2] .. owner, ARGV[1])
end
return redis.call('DEL', KEYS[1])
