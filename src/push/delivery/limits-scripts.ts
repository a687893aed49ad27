/** In ms and messages (§4.12, §5). */
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
/** Clocks of replicas may differ by so much, and WeCom's count may lag by it. */
export const MARGIN = 500;
/** The longest that a call lasts: a turn that nobody settled counts as if it had been used then. */
export const LONGEST_CALL = 30_000;
/** How long past its moment a turn is kept for the lane that was denied it. */
const KEPT_FOR = 2000;
/** A block that comes back so soon after its end was of a longer limit. */
const AGAIN = 30_000;
const TURNS_LIFE = HOUR + LONGEST_CALL + MARGIN + 10_000;
const EPOCH_LIFE = 48 * HOUR;

/** What TAKE answers for each receiver: one of these by number, and when to ask again. */
export const answers = ['mine', 'member', 'robot', 'day', 'blocked', 'lane'] as const;

/**
 * All keys begin with KEYS[1], which holds the hash tag of the app. What is counted stands under the epoch: a name that
 * a replica has written together with the run_id of this Redis when it had restored the counts (limits-restore.ts). In
 * a Redis that was emptied, restarted or replaced no epoch is known, and nobody gets a turn.
 */
export const EPOCH = `
local p = KEYS[1]
local function runId() return string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') end
local function findEpoch()
  local run, name = string.match(redis.call('GET', p .. 'epoch') or '', '^(%w+) (.+)$')
  if not run or run ~= runId() then return nil end
  redis.call('PEXPIRE', p .. 'epoch', ${EPOCH_LIFE})
  return p .. name .. ':'
end
local function addTurn(key, ticket, at)
  redis.call('ZADD', key, at, ticket)
  redis.call('PEXPIRE', key, ${TURNS_LIFE})
end
local function addToday(key, count, untilMidnight)
  redis.call('INCRBY', key, count)
  redis.call('PEXPIRE', key, untilMidnight + ${HOUR})
end
local countsToday = { member = true, broad = true }
`;

/**
 * ARGV: now, rank of the lane, ticket, number of the day, most of a day, ms until midnight, ms of a minute (less in tests
 * that cannot wait for one); then kind and receiver of each.
 * Answers null when no epoch is known, else two numbers for each receiver.
 * A turn stands in a sorted set by the latest moment at which WeCom can have counted it.
 */
export const TAKE = `${EPOCH}
local now, rank, ticket = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local most, untilMidnight, minute = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local windows = {
  member = { { minute, 30 }, { ${HOUR}, 1000 } },
  robot = { { minute, 20 } },
  broad = {},
}
local epoch = findEpoch()
if not epoch then return false end
local dayKey = epoch .. 'day:' .. ARGV[4]
local today, taken = tonumber(redis.call('GET', dayKey) or 0), 0

local function blockedUntil(what)
  return tonumber(string.match(redis.call('GET', p .. 'block:' .. what) or '', '^%d+') or 0)
end
local function laneFreeAt(key)
  local at = 0
  if rank > 0 then
    for _, mark in ipairs(redis.call('HMGET', key, unpack({ '0', '1' }, 1, rank))) do
      at = math.max(at, tonumber(mark or 0))
    end
  end
  return at
end
local function windowFreeAt(key, kind)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - ${HOUR + MARGIN})
  local at = 0
  for _, window in ipairs(windows[kind]) do
    local from = '(' .. (now - window[1] - ${MARGIN})
    local count = redis.call('ZCOUNT', key, from, '+inf')
    if count >= window[2] then
      local last = redis.call('ZRANGEBYSCORE', key, from, '+inf', 'WITHSCORES', 'LIMIT', count - window[2], 1)
      at = math.max(at, tonumber(last[2]) + window[1] + ${MARGIN})
    end
  end
  return at
end
-- The next turn is kept for this lane; the lowest has nobody to keep it from.
local function keep(key, at)
  if rank > 1 then return end
  local kept = at + ${KEPT_FOR}
  redis.call('HSET', key, rank, kept)
  redis.call('PEXPIRE', key, math.max(redis.call('PTTL', key), kept - now + 1000))
end

local appFreeAt = blockedUntil('app')
local function ask(kind, receiver, number)
  local free = blockedUntil(receiver)
  if kind ~= 'robot' then free = math.max(free, appFreeAt) end
  if free > now then return 4, free end
  if kind == 'chat' then return 0, 0 end
  if countsToday[kind] and today + taken >= most then return 3, now + untilMidnight end
  local turns, marks = epoch .. 'turns:' .. receiver, epoch .. 'marks:' .. receiver
  free = laneFreeAt(marks)
  if free > now then keep(marks, free) return 5, free end
  free = windowFreeAt(turns, kind)
  if free > now then keep(marks, free) return kind == 'robot' and 2 or 1, free end
  redis.call('HDEL', marks, rank)
  addTurn(turns, ticket .. number, now + ${LONGEST_CALL})
  if countsToday[kind] then taken = taken + 1 end
  return 0, 0
end
local answers = {}
for i = 8, #ARGV, 2 do
  local limit, at = ask(ARGV[i], ARGV[i + 1], (i - 8) / 2)
  answers[#answers + 1] = limit
  answers[#answers + 1] = at
end
if taken > 0 then addToday(dayKey, taken, untilMidnight) end
return answers`;

/**
 * ARGV: now, number of the day, ms until midnight; then kind, receiver, ticket and outcome of each turn.
 * Without an epoch it does nothing: MySQL knows of the call, and the restoring counts it. A call that ended on another
 * day than it began counts in both.
 */
export const SETTLE = `${EPOCH}
local epoch = findEpoch()
if not epoch then return 0 end
for i = 4, #ARGV, 4 do
  local kind, key, ticket = ARGV[i], epoch .. 'turns:' .. ARGV[i + 1], ARGV[i + 2]
  local day = string.match(ticket, '^%d+')
  local dayKey = epoch .. 'day:' .. day
  if kind == 'chat' then
  elseif ARGV[i + 3] == 'sent' then
    addTurn(key, ticket, ARGV[1])
    if countsToday[kind] and day ~= ARGV[2] then addToday(epoch .. 'day:' .. ARGV[2], 1, ARGV[3]) end
  elseif redis.call('ZREM', key, ticket) == 1 and countsToday[kind] and redis.call('EXISTS', dayKey) == 1 then
    redis.call('DECR', dayKey)
  end
end
return 1`;

/**
 * ARGV: now, until, what. A block never gets shorter. One that comes back right after its end lasts twice as long as
 * before, up to an hour: WeCom does not say whether the limit of the minute or of the hour was passed (§4.12).
 */
export const BLOCK = `
local now, till, key = tonumber(ARGV[1]), tonumber(ARGV[2]), KEYS[1] .. 'block:' .. ARGV[3]
local last, ms = string.match(redis.call('GET', key) or '0 0', '^(%d+) (%d+)$')
last, ms = tonumber(last), tonumber(ms)
if till <= now or till <= last then return 0 end
if last <= now then
  local again = now < last + ${AGAIN} and math.min(2 * ms, ${HOUR}) or 0
  ms = math.max(till - now, again)
  till = now + ms
end
redis.call('SET', key, till .. ' ' .. ms, 'PX', till - now + ${AGAIN})
return 1`;
