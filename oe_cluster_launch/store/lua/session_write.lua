-- Writes a session's changes if nobody else has changed it since it was read: all or nothing.
--
-- KEYS[1] = hash of the session as it was opened
-- KEYS[2] = its tombstones
-- KEYS[3] = where it moved to, if it has moved
-- KEYS[4] = hash of the session under its new id (KEYS[1] when the id stays)
-- KEYS[5] = tombstones under the new id (KEYS[2] when the id stays)
-- ARGV[1] = version that was read; `none` = the session must not exist yet
-- ARGV[2] = id of the session as opened        ARGV[3] = its id from now on
-- ARGV[4] = start of the keys of the indexes   ARGV[5] = owners, separated by spaces
-- ARGV[6] = life of the session in ms          ARGV[7] = life of tombstones and moves in ms
-- ARGV[8] = 1: the session ends now            ARGV[9] = number of fields to write, n
-- then n pairs (field, value); then the number of fields to remove, m;
-- then m pairs (field, 1 = lay a tombstone, 0 = do not)
-- reply   = {'done', version}
--         | {'changed', fields and values in turn, tombstones in turn}
--         | {'moved', id}      somebody signed in meanwhile: the session lives on under that id
--         | {'gone', tombstones in turn}   ended by a log-out, a revocation or its time to live
local session, moved = KEYS[1], KEYS[3]
local opened_version, old_id, new_id = ARGV[1], ARGV[2], ARGV[3]
local index_start, owners = ARGV[4], ARGV[5]
local life, tombstone_life, ends = tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8] == '1'

local version = redis.call('HGET', session, '#version')
if opened_version == 'none' then
  if version then
    return {'changed', redis.call('HGETALL', session), redis.call('HGETALL', KEYS[2])}
  end
  version = '0'
elseif not version then
  local target = redis.call('GET', moved)
  if target then
    return {'moved', target}
  end
  return {'gone', redis.call('HGETALL', KEYS[2])}
elseif version ~= opened_version then
  return {'changed', redis.call('HGETALL', session), redis.call('HGETALL', KEYS[2])}
end
version = tostring(tonumber(version) + 1)

-- the owners the session had until now
for owner in string.gmatch(redis.call('HGET', session, '#owners') or '', '%S+') do
  redis.call('ZREM', index_start .. owner, old_id)
end

if old_id ~= new_id then
  redis.call('DEL', session)
  if redis.call('EXISTS', KEYS[2]) == 1 then
    redis.call('RENAME', KEYS[2], KEYS[5])
  end
  redis.call('SET', moved, new_id, 'PX', tombstone_life)
  session = KEYS[4]
end

local at = 9
local fields = {}
for _ = 1, tonumber(ARGV[at]) do
  fields[#fields + 1] = {ARGV[at + 1], ARGV[at + 2]}
  at = at + 2
end
at = at + 1
for _ = 1, tonumber(ARGV[at]) do
  redis.call('HDEL', session, ARGV[at + 1])
  if ARGV[at + 2] == '1' then
    redis.call('HSET', KEYS[5], ARGV[at + 1], version)
    redis.call('PEXPIRE', KEYS[5], tombstone_life)
  end
  at = at + 2
end
if ends then
  redis.call('DEL', session)
  return {'done', version}
end

for _, pair in ipairs(fields) do
  redis.call('HSET', session, pair[1], pair[2])
end
redis.call('HSET', session, '#version', version)
redis.call('HSET', session, '#owners', owners)
redis.call('PEXPIRE', session, life)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for owner in string.gmatch(owners, '%S+') do
  local index = index_start .. owner
  redis.call('ZREMRANGEBYSCORE', index, '-inf', now)
  redis.call('ZADD', index, now + life, new_id)
  if redis.call('PTTL', index) < life then
    redis.call('PEXPIRE', index, life)
  end
end
return {'done', version}
