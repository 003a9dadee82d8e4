-- Deletes a key: shows at boot that scripts are allowed and that this is no replica.
--
-- KEYS[1] = a key of ours
-- reply   = 1 when the key was there, else 0
return redis.call('DEL', KEYS[1])
