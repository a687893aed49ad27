import type { Database } from '../database.ts';
import type { Redis } from '../redis.ts';
import { dayOf, limitKind } from './limits-kinds.ts';
import { EPOCH, HOUR, LONGEST_CALL, MARGIN } from './limits-scripts.ts';
import { personTimes, type Used, usedByOpen, usedSince } from './limits-store.ts';

/** Longer than the longest statement; each page renews it. */
const LOCK_MS = 15_000;
/** Entries of one script call. */
const CHUNK = 500;

/** ARGV: name of the new epoch. Answers '' when an epoch is known, 'busy' when another restores, else the run_id. */
const BEGIN = `${EPOCH}
if findEpoch() then return '' end
if not redis.call('SET', p .. 'restoring', ARGV[1], 'NX', 'PX', ${LOCK_MS}) then return 'busy' end
return runId()`;

/** ARGV: name of the new epoch; then receiver, ticket and moment of each turn. Answers 0 when the lock is lost. */
const ADD = `${EPOCH}
if redis.call('GET', p .. 'restoring') ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', p .. 'restoring', ${LOCK_MS})
for i = 2, #ARGV, 3 do addTurn(p .. ARGV[1] .. ':turns:' .. ARGV[i], ARGV[i + 1], ARGV[i + 2]) end
return 1`;

/** ARGV: name of the new epoch, run_id, number of the day, its count, ms until midnight. Answers 0 when the lock is lost. */
const END = `${EPOCH}
if redis.call('GET', p .. 'restoring') ~= ARGV[1] or runId() ~= ARGV[2] then return 0 end
addToday(p .. ARGV[1] .. ':day:' .. ARGV[3], ARGV[4], ARGV[5])
redis.call('SET', p .. 'epoch', ARGV[2] .. ' ' .. ARGV[1])
redis.call('DEL', p .. 'restoring')
findEpoch()
return 1`;

/** What restoring needs of its surroundings; `prefix` begins every key. */
export interface RestoreParts {
  readonly redis: Redis;
  readonly db: Database;
  readonly prefix: string;
  readonly now: () => number;
  readonly newId: (now: number) => string;
}

/** `restored` by this call, `known` all the time, or another replica is `busy` with it. */
export type Restored = 'restored' | 'known' | 'busy';

/**
 * Restores the turns of the last hour and the count of the day from MySQL after Redis has lost them. Rejects when Redis
 * or MySQL is away, or when Redis lost them once more meanwhile; then nobody gets a turn, and the next to ask tries it.
 */
export async function restoreLimits({ redis, db, prefix, now, newId }: RestoreParts): Promise<Restored> {
  const run = (script: string, ...args: readonly (string | number)[]) =>
    redis.eval(script, 1, prefix, ...args);
  const epoch = newId(now());
  const runId = String(await run(BEGIN, epoch));
  if (runId === '') return 'known';
  if (runId === 'busy') return 'busy';

  const day = dayOf(now());
  let today = 0;
  const add = async (page: readonly Used[]) => {
    // Under the id of the delivery: what is read once as open and once as final is counted once.
    const turns = page.flatMap((used) =>
      Array.from(
        { length: used.count },
        (_, part) => [used.receiver, `d${used.id}.${part}`, used.at] as const,
      ),
    );
    // An empty page renews the lock as well.
    for (let from = 0; from === 0 || from < turns.length; from += CHUNK) {
      const isOurs = await run(ADD, epoch, ...turns.slice(from, from + CHUNK).flat());
      if (isOurs !== 1) throw new Error('Redis lost the limits again while they were restored');
    }
  };
  // First what is open: what becomes final meanwhile is then read as final, and nothing is missed.
  for await (const page of usedByOpen(db, now(), now() + LONGEST_CALL)) {
    await add(page.filter(hasWindow));
    for (const { receiver, count } of page) today += isPersonTime(receiver) ? count : 0;
  }
  for await (const page of usedSince(db, now() - HOUR - MARGIN)) await add(page.filter(hasWindow));
  today += await personTimes(db, day.beginsAt, now());

  const isDone = await run(END, epoch, runId, day.number, today, day.endsAt - now());
  if (isDone !== 1) throw new Error('Redis lost the limits again while they were restored');
  return 'restored';
}

function hasWindow({ receiver }: Used): boolean {
  const kind = limitKind(receiver);
  return kind === 'member' || kind === 'robot';
}

function isPersonTime(receiver: Used['receiver']): boolean {
  const kind = limitKind(receiver);
  return kind === 'member' || kind === 'broad';
}
