/**
 * Each script does the same for every key it is given and answers for each; what cannot be done for one is answered by the text
 * of its error. In a cluster each call has one key, so that it runs on the node that holds it.
 */

/** With as many arguments for each. */
const forEachKey = `
local answers, stride = {}, #ARGV / #KEYS
for index, key in ipairs(KEYS) do
  local worked, answer = pcall(once, key, unpack(ARGV, (index - 1) * stride + 1, index * stride))
  answers[index] = worked and answer or type(answer) == 'table' and answer.err or tostring(answer)
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
 * A string holds big-endian doubles: the newest bucket, what the fifteen before it hold together, what it holds itself, and,
 * once there was more than one bucket, the count of bucket b of those before at place b % 16. What is none of ours gives way.
 *
 * Arguments, once for all keys or for each: limit, cost, width of a bucket in ms. Answers the server's time in ms, and then
 * for each key what is used up, when the request is admitted and counts in the bucket of that time; else allowed, used, ms until
 * all is free, ms until it may be admitted; or the error that kept it from being counted.
 */
const takeRate = `
local time = redis.call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000)
local call, parse, pack = redis.pcall, struct.unpack, struct.pack

local function keep(key, text, ttl)
  local kept = ttl and call('SET', key, text, 'PX', ttl) or call('SET', key, text, 'KEEPTTL')
  return kept.err
end

-- Whatever is not the next request within one bucket.
local function slide(key, held, newest, older, count, limit, cost, width)
  local now, bucket, counts, used = clock, math.floor(clock / width), {}, 0
  if newest > bucket then
    bucket = newest
    now = bucket * width
  end
  for counted = math.max(bucket - 15, newest - 15), newest do
    local place = counted % 16
    counts[counted] = counted == newest and count or #held > 24 and parse('>d', held, 25 + 8 * place) or 0
    used = used + counts[counted]
  end
  local function freed(counted) return (counted + 16) * width - now end
  if used + cost <= limit then
    local places, current = {}, counts[bucket] or 0
    for counted = bucket - 15, bucket do places[counted % 16 + 1] = counted < bucket and counts[counted] or 0 end
    local text = pack('>ddd' .. string.rep('d', 16), bucket, used - current, current + cost, unpack(places))
    local failure = keep(key, text, bucket ~= newest and 17 * width)
    return failure or now == clock and used + cost or {1, used + cost, freed(bucket), 0}
  end
  local last, sufficient, released = bucket, nil, 0
  for counted = bucket - 15, bucket do
    local gone = counts[counted] or 0
    if gone > 0 then
      released = released + gone
      last = counted
      if not sufficient and released >= used + cost - limit then sufficient = counted end
    end
  end
  return {0, used, used > 0 and freed(last) or 0, freed(sufficient or bucket)}
end

local answers, stride = {clock}, #ARGV < 6 and 0 or #ARGV / #KEYS
for index, key in ipairs(KEYS) do
  local first = (index - 1) * stride
  local limit, cost, width = tonumber(ARGV[first + 1]), tonumber(ARGV[first + 2]), tonumber(ARGV[first + 3])
  local bucket, held, newest, older, count = math.floor(clock / width), call('GET', key), nil, 0, 0
  if type(held) == 'string' and (#held == 24 or #held == 152) then newest, older, count = parse('>ddd', held) end
  local used = older + count + cost
  if newest and (newest ~= bucket or used > limit) and bucket - newest < 16 then
    answers[index + 1] = slide(key, held, newest, older, count, limit, cost, width)
  elseif newest == bucket then
    answers[index + 1] = keep(key, pack('>ddd', newest, older, count + cost) .. string.sub(held, 25)) or used
  elseif cost <= limit then
    answers[index + 1] = keep(key, pack('>ddd', bucket, 0, cost), 17 * width) or cost
  else
    answers[index + 1] = {0, 0, 0, 16 * width - clock % width}
  end
end
return answers
`

export type RedisScripts = Readonly<Record<'readWithTimeLeft' | 'keepNewer' | 'takeRate', string>>

export const redisScripts: RedisScripts = { readWithTimeLeft, keepNewer, takeRate }
