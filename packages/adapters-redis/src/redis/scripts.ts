/** Every script touches the one key it is given, so that it runs on the node that holds it. */

/**
 * Keeps a record only where none or one with a lower stamp is held. A record begins with its stamp in 16 digits; what
 * does not is no record of ours and gives way.
 *
 * ARGV: record, time to live in ms. Answers 1 when the record was kept.
 */
export const keepNewer = `
local held = redis.pcall('GETRANGE', KEYS[1], 0, 15)
if type(held) == 'string' and #held == 16 and string.match(held, '^%d+$') then
  if tonumber(held) >= tonumber(string.sub(ARGV[1], 1, 16)) then return 0 end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`

/**
 * Takes from a rate window, as core's \`takeFrom\` does, on the time of the server.
 *
 * The hash holds \`newest\` (the newest bucket), \`used\` (the sum of all that counts) and the count of bucket b in the field
 * b % 16. ARGV: limit, cost, width of a bucket in ms. Answers allowed, used, ms until all is free, ms until it may be
 * admitted.
 */
export const takeRate = `
local limit, cost, width = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local bucket = math.floor(now / width)
local held = redis.call('HMGET', KEYS[1], 'newest', 'used', bucket % 16)
local newest, used, count = tonumber(held[1] or -1), tonumber(held[2] or 0), tonumber(held[3] or 0)
if bucket < newest then
  bucket = newest
  now = bucket * width
  count = tonumber(redis.call('HGET', KEYS[1], bucket % 16) or 0)
elseif bucket > newest and newest >= 0 then
  if bucket - newest >= 16 then
    redis.call('DEL', KEYS[1])
    used = 0
  else
    for passed = newest + 1, bucket do
      local gone = redis.call('HGET', KEYS[1], passed % 16)
      if gone then
        used = used - gone
        redis.call('HDEL', KEYS[1], passed % 16)
      end
    end
    redis.call('HSET', KEYS[1], 'newest', bucket, 'used', used)
  end
  count = 0
end
local function freed(counted) return (counted + 16) * width - now end
if used + cost <= limit then
  redis.call('HSET', KEYS[1], 'newest', bucket, 'used', used + cost, bucket % 16, count + cost)
  if bucket ~= newest then redis.call('PEXPIRE', KEYS[1], 17 * width) end
  return {1, used + cost, freed(bucket), 0}
end
local last, sufficient, released = bucket, nil, 0
for counted = bucket - 15, bucket do
  local gone = tonumber(redis.call('HGET', KEYS[1], counted % 16) or 0)
  if gone > 0 then
    released = released + gone
    last = counted
    if not sufficient and released >= used + cost - limit then sufficient = counted end
  end
end
return {0, used, used > 0 and freed(last) or 0, freed(sufficient or bucket)}
`
