-- Counts a miss of KEYS[1], and blocks KEYS[2] at the last one that is borne.
-- ARGV: the window in ms, the misses that are borne, the block in ms, a word that no other miss has.
local now = redis.call('TIME')
local ms = now[1] * 1000 + math.floor(now[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ms - ARGV[1])
redis.call('ZADD', KEYS[1], ms, ms .. ':' .. now[2] .. ':' .. ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
    redis.call('SET', KEYS[2], 1, 'PX', ARGV[3])
    redis.call('DEL', KEYS[1])
end
return 1
