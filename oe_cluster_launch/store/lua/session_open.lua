-- Reads a session whole and, when its remaining life has become short, renews it.
--
-- KEYS[1] = the session's hash
-- ARGV[1] = id of the session
-- ARGV[2] = start of the keys of the indexes
-- ARGV[3] = life of a session in which somebody signed in, in ms
-- ARGV[4] = life of an anonymous session, in ms
-- ARGV[5] = renew when at least this much of the life has passed, in ms; -1 = never
-- reply   = fields and values in turn; empty when there is no such session;
--           {'#foreign', '1'} when the key holds something else.
--           With ARGV[5] >= 0 also '#due' and in how many ms it shall be renewed: not before that
--           need anybody run this script, HGETALL reads the same
--
-- The owners' index keys are computed from the field `#owners`: one server, no Redis Cluster.
local fields = redis.pcall('HGETALL', KEYS[1])
if fields['err'] then
  return {'#foreign', '1'}
end
local renew_after = tonumber(ARGV[5])
if #fields == 0 or renew_after < 0 then
  return fields
end
local owners = redis.call('HGET', KEYS[1], '#owners') or ''
local life = tonumber(owners == '' and ARGV[4] or ARGV[3])
local left = redis.call('PTTL', KEYS[1])
if left >= 0 and left > life - renew_after then
  fields[#fields + 1] = '#due'
  fields[#fields + 1] = tostring(left - (life - renew_after))
  return fields
end
redis.call('PEXPIRE', KEYS[1], life)
local time = redis.call('TIME')
local ends_at = time[1] * 1000 + math.floor(time[2] / 1000) + life
for owner in string.gmatch(owners, '%S+') do
  -- refused when the memory is full: that must not keep anybody from reading his session
  redis.pcall('ZADD', ARGV[2] .. owner, ends_at, ARGV[1])
  if redis.call('PTTL', ARGV[2] .. owner) < life then
    redis.call('PEXPIRE', ARGV[2] .. owner, life)
  end
end
fields[#fields + 1] = '#due'
fields[#fields + 1] = tostring(renew_after)
return fields
