/**
 * Each script does the same for every key it is given, with as many arguments for each, and answers for each; what cannot
 * be done for one is answered `nil`. In a cluster each call has one key, so that it runs on the node that holds it.
 */

const forEachKey = `
local answers, stride = {}, #ARGV / #KEYS
for index, key in ipairs(KEYS) do
  local worked, answer = pcall(once, key, unpack(ARGV, (index - 1) * stride + 1, index * stride))
  answers[index] = worked and answer or false
end
return answers
`

/** Answers the value and the ms that it has left to live. */
const readWithTimeLeft = `
local function once(key)
  return {redis.call('GET', key), redis.call('PTTL', key)}
end
${forEachKey}`

/**
 * Keeps a record only where none or one with a lower stamp is held. A record begins with its stamp in 16 digits; what
 * does not is no record of ours and gives way.
 *
 * Arguments: record, time to live in ms. Answers 1 when the record was kept, else 0.
 */
const keepNewer = `
local function once(key, record, ttl)
  local held = redis.pcall('GETRANGE', key, 0, 15)
  if type(held) == 'string' and #held == 16 and string.match(held, '^%d+$') then
    if tonumber(held) >= tonumber(string.sub(record, 1, 16)) then return 0 end
  end
  redis.call('SET', key, record, 'PX', ttl)
  return 1
end
${forEachKey}`

/**
 * Takes from a rate window as core's `takeFrom` does, on the time of the server.
 *
 * The hash holds `newest` (the newest bucket), `used` (the sum of all that counts) and the count of bucket b in the field
 * b % 16. Arguments: limit, cost, width of a bucket in ms. Answers allowed, used, ms until all is free, ms until it may be
 * admitted.
 */
const takeRate = `
local time = redis.call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000)
local function once(key, limit, cost, width)
  limit, cost, width = tonumber(limit), tonumber(cost), tonumber(width)
  local now, bucket = clock, math.floor(clock / width)
  local held = redis.call('HMGET', key, 'newest', 'used', bucket % 16)
  local newest, used, count = tonumber(held[1] or -1), tonumber(held[2] or 0), tonumber(held[3] or 0)
  if bucket < newest then
    bucket = newest
    now = bucket * width
    count = tonumber(redis.call('HGET', key, bucket % 16) or 0)
  elseif bucket > newest and newest >= 0 then
    if bucket - newest >= 16 then
      redis.call('DEL', key)
      used = 0
    else
      for passed = newest + 1, bucket do
        local gone = redis.call('HGET', key, passed % 16)
        if gone then
          used = used - gone
          redis.call('HDEL', key, passed % 16)
        end
      end
      redis.call('HSET', key, 'newest', bucket, 'used', used)
    end
    count = 0
  end
  local function freed(counted) return (counted + 16) * width - now end
  if used + cost <= limit then
    redis.call('HSET', key, 'newest', bucket, 'used', used + cost, bucket % 16, count + cost)
    if bucket ~= newest then redis.call('PEXPIRE', key, 17 * width) end
    return {1, used + cost, freed(bucket), 0}
  end
  local last, sufficient, released = bucket, nil, 0
  for counted = bucket - 15, bucket do
    local gone = tonumber(redis.call('HGET', key, counted % 16) or 0)
    if gone > 0 then
      released = released + gone
      last = counted
      if not sufficient and released >= used + cost - limit then sufficient = counted end
    end
  end
  return {0, used, used > 0 and freed(last) or 0, freed(sufficient or bucket)}
end
${forEachKey}`

export type RedisScripts = Readonly<Record<'readWithTimeLeft' | 'keepNewer' | 'takeRate', string>>

export const redisScripts: RedisScripts = { readWithTimeLeft, keepNewer, takeRate }
