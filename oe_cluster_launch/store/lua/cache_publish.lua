-- Append a batch of answers to the log of one database and generation.
-- Element 0 of the log is "<incarnation> <bytes>": readers remember how far they
-- have read, and start again when the log was dropped and another begun.
--
-- KEYS[1] = the log, a list
-- ARGV[1] = the batch, sealed
-- ARGV[2] = ttl of the log in ms, renewed
-- ARGV[3] = most bytes of all batches together
-- ARGV[4] = incarnation, for a log that begins now
-- reply = {incarnation, number of elements}; {} when the log is full
local head = redis.call('LINDEX', KEYS[1], 0)
local incarnation, bytes = ARGV[4], 0
if head then
    incarnation, bytes = string.match(head, '^(%S+) (%d+)$')
end
bytes = tonumber(bytes) + #ARGV[1]
if bytes > tonumber(ARGV[3]) then
    return {}
end
if not head then
    redis.call('RPUSH', KEYS[1], '')
end
redis.call('LSET', KEYS[1], 0, incarnation .. ' ' .. string.format('%d', bytes))
local length = redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {incarnation, length}
