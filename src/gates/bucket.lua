-- Takes from several buckets, or from none of them; a negative number gives back.
-- KEYS: the buckets. ARGV, three for each: the units wanted, its capacity in units, the units refilled a microsecond.
-- A bucket is "<units missing> <microsecond of the server's clock>"; one that is not there is full.
-- All numbers stay whole and below 2^53 (Limit::MOST_POINTS), so they are exact.
-- Answers what was missing from each before.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local missing, wanted, before, granted = {}, {}, {}, true

for i, key in ipairs(KEYS) do
  local units, capacity, refill = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  if not missing[key] then
    missing[key], wanted[key] = 0, 0
    local left, at = string.match(redis.call('GET', key) or '', '^(%d+) (%d+)$')
    if left then
      left, at = tonumber(left), tonumber(at)
      missing[key] = math.max(0, math.min(left, capacity) - math.max(0, now - at) * refill)
      -- The clock was set back: time counts from here, else nothing would refill until it has caught up.
      if at > now then
        redis.call('SET', key, string.format('%.0f %.0f', left, now), 'KEEPTTL')
      end
    end
  end
  wanted[key] = wanted[key] + units
  before[i] = missing[key]
  granted = granted and missing[key] + wanted[key] <= capacity
end

if granted then
  for i, key in ipairs(KEYS) do
    local left = missing[key] + wanted[key]
    if left > 0 then
      local full = now + math.ceil(left / tonumber(ARGV[3 * i]))
      local expires = string.format('%.0f', math.ceil(full / 1000))
      redis.call('SET', key, string.format('%.0f %.0f', left, now), 'PXAT', expires)
    else
      redis.call('DEL', key)
    end
  end
end

return before
