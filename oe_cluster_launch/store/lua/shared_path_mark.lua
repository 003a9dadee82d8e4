-- Keep the mark a node has written into a shared folder.
-- KEYS[1] = marks: hash: node -> mark
-- ARGV[1] = node
-- ARGV[2] = mark
-- ARGV[3] = ttl of the whole hash: milliseconds
-- reply   = 1.
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
