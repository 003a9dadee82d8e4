-- Read a job; one that has ended is delivered by this and soon forgotten.
-- KEYS[1] = job: hash of state, node, value, at (ms of this server's clock)
-- ARGV[1] = repeat: milliseconds for which a delivered job can be read again
-- reply   = {state or '', node, ms since it was last written, value}.
local job = redis.call('HMGET', KEYS[1], 'state', 'node', 'at', 'value')
if not job[1] then
  return {'', '', 0, ''}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if job[1] ~= 'pending' and redis.call('PTTL', KEYS[1]) > tonumber(ARGV[1]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
return {job[1], job[2], now - job[3], job[4]}
