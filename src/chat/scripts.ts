/** How long a session and a claim live after they were written. */
const SESSION_SECONDS = 600;
export const CLAIM_SECONDS = 600;
/** The lease of the turn: longer than the longest turn, in which a platform call may take 10 s. */
const TURN_MS = 12_000;
/** The lease of a waiting place; whoever waits asks again far more often. */
const WAIT_MS = 2000;
/** So many messages of one user may wait; with more, whoever sends without end would be served at the cost of all. */
const MOST_WAITING = 5;

/**
 * The Redis scripts of a message: each is one round trip and atomic. All get six keys of one user, which share a hash
 * tag: path, state, this message's reply, the line, this message's mark, and its owner: the delivery that has claimed it
 * and not finished, with a `+` once a repeat has been answered by nothing meanwhile.
 *
 * The line is who came first. Nearly always one message is alone in it: then the key holds its id, and the key's time
 * to live is the lease of its turn. Where several wait, it holds `msgid=deadline` entries in order of arrival; the first
 * has the turn, and the others show a sign of life by asking again. An entry past its deadline belongs to a process that
 * died and is dropped. The time is Redis's own, so replicas need not agree on theirs.
 */
const LINE = `
local function clock()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
local function readLine(key, now)
  local text = redis.call('GET', key)
  if not text then return {} end
  if not string.find(text, '=', 1, true) then
    return { { id = text, deadline = string.format('%.0f', now + redis.call('PTTL', key)) } }
  end
  local entries = {}
  for id, deadline in string.gmatch(text, '([^= ]+)=(%d+)') do
    if tonumber(deadline) > now then entries[#entries + 1] = { id = id, deadline = deadline } end
  end
  return entries
end
local function writeLine(key, entries)
  if #entries == 0 then redis.call('DEL', key) return end
  local parts = {}
  for i, e in ipairs(entries) do parts[i] = e.id .. '=' .. e.deadline end
  redis.call('SET', key, table.concat(parts, ' '), 'PX', 60000)
end
local function find(entries, id)
  for _, e in ipairs(entries) do if e.id == id then return e end end
end
local function leaveLine(key, id)
  local line = redis.call('GET', key)
  if line == id then
    redis.call('DEL', key)
  elseif line then
    local rest = {}
    for _, e in ipairs(readLine(key, clock())) do
      if e.id ~= id then rest[#rest + 1] = e end
    end
    writeLine(key, rest)
  end
end
`;

const OWNS = `
local function owns(owner, delivery)
  return owner and string.sub(owner, 1, #delivery) == delivery
end
`;

/**
 * Claims a message and takes a place in the line, asks again from there, or only looks how a claimed one stands.
 * ARGV: msgid, '1' to claim, '0' to ask again, '?' to look, the delivery that claims, and the reply of a message for which
 * the line has no place.
 * Answers `repeat` with the finished reply ('' while it runs, false when whoever ran it died) and the mark, `wait`,
 * `turn` with the path and the state, or `full`: then the message is answered, and nothing will ever run it.
 */
export const ENTER = `${LINE}
local id = ARGV[1]
if ARGV[2] == '?' or ARGV[2] == '1' and not redis.call('SET', KEYS[3], '', 'NX', 'EX', ${CLAIM_SECONDS}) then
  local reply = redis.call('GET', KEYS[3])
  if reply == '' and not find(readLine(KEYS[4], clock()), id) then reply = false end
  if reply == '' and ARGV[2] == '1' then
    local owner = redis.call('GET', KEYS[6])
    if owner and string.sub(owner, -1) ~= '+' then redis.call('APPEND', KEYS[6], '+') end
  end
  return { 'repeat', reply, redis.call('GET', KEYS[5]) }
end
local isFirst = redis.call('SET', KEYS[4], id, 'NX', 'PX', ${TURN_MS})
if not isFirst then
  local now = clock()
  local entries = readLine(KEYS[4], now)
  local mine = find(entries, id)
  if not mine then
    if ARGV[2] == '1' and #entries > ${MOST_WAITING} then
      redis.call('SET', KEYS[3], ARGV[4], 'EX', ${CLAIM_SECONDS})
      return { 'full' }
    end
    mine = { id = id }
    entries[#entries + 1] = mine
  end
  isFirst = entries[1] == mine
  mine.deadline = string.format('%.0f', now + (isFirst and ${TURN_MS} or ${WAIT_MS}))
  writeLine(KEYS[4], entries)
end
if ARGV[2] == '1' then redis.call('SET', KEYS[6], ARGV[3], 'EX', ${CLAIM_SECONDS}) end
if not isFirst then return { 'wait' } end
local session = redis.call('MGET', KEYS[1], KEYS[2])
return { 'turn', session[1], session[2] }
`;

/**
 * Ends a turn: writes the session and the reply, and leaves the line. The state carries the id of the message that
 * wrote it; when that is not the one this turn was computed from, nothing is written and the newer session comes back.
 * ARGV: msgid, `keep` | `write` | `end`, expected version, reply ('' leaves it), path, state, receipts ('' for none), and
 * the delivery that claimed. When that one was taken for dead meanwhile, nothing is written but that it leaves.
 * With `letGo` nothing is done unless that delivery holds the claim, and a reply that is there stays.
 * Answers `left` with whether a repeat was answered by nothing, `conflict` with the newer session, or `taken` with the
 * reply of those who took over.
 */
export const LEAVE = `${LINE}${OWNS}
local id, mode, delivery = ARGV[1], ARGV[2], ARGV[8]
local path, state, replied, owner = unpack(redis.call('MGET', KEYS[1], KEYS[2], KEYS[3], KEYS[6]))
local isMine = owns(owner, delivery)
if mode == 'letGo' then
  if not isMine then return { 'left' } end
else
  -- Where the claim is gone as well, Redis has lost what it had, and nobody has taken over.
  if replied and not isMine then
    leaveLine(KEYS[4], id)
    return { 'taken', replied }
  end
  if mode ~= 'keep' then
    local version = path and state and string.match(state, '^[^\\n]*') or ''
    if version ~= ARGV[3] then return { 'conflict', path, state } end
    if mode == 'write' then
      redis.call('SET', KEYS[1], ARGV[5], 'EX', ${SESSION_SECONDS})
      redis.call('SET', KEYS[2], id .. '\\n' .. ARGV[6], 'EX', ${SESSION_SECONDS})
    else
      redis.call('DEL', KEYS[1], KEYS[2])
    end
  end
end
if ARGV[4] ~= '' and not (mode == 'letGo' and replied ~= '') then
  redis.call('SET', KEYS[3], ARGV[4], 'EX', ${CLAIM_SECONDS})
  if ARGV[7] ~= '' then redis.call('SET', KEYS[5], ARGV[7], 'EX', ${CLAIM_SECONDS}) end
end
redis.call('DEL', KEYS[6])
leaveLine(KEYS[4], id)
return { 'left', owner and #owner > #delivery and '+' or '' }
`;

/**
 * Writes the reply that repeats get or the mark, while the turn goes on; whoever was taken for dead writes nothing.
 * ARGV: the delivery that claimed, `reply` | `mark`, and the value ('' for none). Answers `put` or `taken`.
 */
export const PUT = `${OWNS}
local replied, owner = unpack(redis.call('MGET', KEYS[3], KEYS[6]))
if replied and not owns(owner, ARGV[1]) then return { 'taken' } end
local key = KEYS[ARGV[2] == 'reply' and 3 or 5]
if ARGV[3] == '' then
  redis.call('DEL', key)
else
  redis.call('SET', key, ARGV[3], 'EX', ${CLAIM_SECONDS})
end
return { 'put' }
`;

/**
 * Ends the message of a delivery that died: it is answered, leaves the line, and whatever that delivery writes later
 * does not count. ARGV: msgid, the reply, and the reply if an operation was confirmed with it.
 * Answers `unfinished` with the reply that it has now, `finished` with reply and mark, or `gone` when nothing is known.
 */
export const TAKE_OVER = `${LINE}
local replied, mark, owner = unpack(redis.call('MGET', KEYS[3], KEYS[5], KEYS[6]))
if not replied then return { 'gone' } end
if not owner then return { 'finished', replied, mark } end
local reply = mark and ARGV[3] or ARGV[2]
redis.call('SET', KEYS[3], reply, 'EX', ${CLAIM_SECONDS})
redis.call('DEL', KEYS[6])
leaveLine(KEYS[4], ARGV[1])
return { 'unfinished', reply, mark }
`;
