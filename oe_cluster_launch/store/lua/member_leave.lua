-- Take a node's record away, unless it is that of a later run of the node.
-- KEYS[1] = member: string, JSON of the record
-- KEYS[2] = seen: sorted set of nodes
-- KEYS[3] = candidates: sorted set of nodes
-- ARGV[1] = node
-- ARGV[2] = token: of the run that leaves
-- reply   = 1, or 0 when the record is not of this run.
local text = redis.call('GET', KEYS[1])
if text and cjson.decode(text)['token'] ~= ARGV[2] then
  return 0
end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
return 1
