-- Take the cron lease if nobody holds it, under a new and higher term.
-- With recover = 1 also when the lease in place carries our own token: an earlier
-- agent of this node run, which its supervisor has seen dead.
-- KEYS[1] = lease: string "<token> <term> <node>", expires after the TTL
-- KEYS[2] = term: string, the highest term ever given out; never expires
-- KEYS[3] = tenure: hash: term, node, since_ms, renewed_ms, ttl_ms of the open tenure; or only
--           `unfinished`: the term of a released one whose sessions in PostgreSQL may be left
-- KEYS[4] = history: list of JSON, newest first
-- KEYS[5] = switchover: string, the operator's wish; done once anybody leads
-- ARGV[1] = node
-- ARGV[2] = token: random, one per node run
-- ARGV[3] = ttl: milliseconds
-- ARGV[4] = floor: the newest term the caller has seen anywhere
-- ARGV[5] = recover: 1 or 0
-- ARGV[6] = history length
-- ARGV[7] = channel: where a change of leader is announced
-- reply   = {term, term of a predecessor that did not release or left sessions, or 0}; {0, 0} when the race is lost.
local held = redis.call('GET', KEYS[1])
if held then
  local ours = string.sub(held, 1, #ARGV[2] + 1) == ARGV[2] .. ' '
  if not (ARGV[5] == '1' and ours) then
    return {0, 0}
  end
  redis.call('DEL', KEYS[1])
end
local term = math.max(tonumber(redis.call('GET', KEYS[2]) or '0'), tonumber(ARGV[4])) + 1
local text = string.format('%.0f', term)
if not redis.call('SET', KEYS[1], ARGV[2] .. ' ' .. text .. ' ' .. ARGV[1], 'NX', 'PX', ARGV[3]) then
  return {0, 0}
end
redis.call('SET', KEYS[2], text)
redis.call('DEL', KEYS[5])

local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local open = redis.call('HMGET', KEYS[3], 'term', 'node', 'since_ms', 'renewed_ms', 'ttl_ms', 'unfinished')
local predecessor = tonumber(open[6] or '0')
if open[1] then
  predecessor = tonumber(open[1])
  local ended = math.min(tonumber(open[4]) + tonumber(open[5]), tonumber(now))
  redis.call('LPUSH', KEYS[4], cjson.encode({
    term = open[1], node = open[2], since_ms = open[3], until_ms = string.format('%.0f', ended),
    why = held and 'its agent died; recovered' or 'not renewed: the lease ran out'}))
  redis.call('LTRIM', KEYS[4], 0, ARGV[6] - 1)
end
redis.call('HMSET', KEYS[3], 'term', text, 'node', ARGV[1], 'since_ms', now, 'renewed_ms', now, 'ttl_ms', ARGV[3])
redis.call('PUBLISH', ARGV[7], 'acquired')
return {term, predecessor}
