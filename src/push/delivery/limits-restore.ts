import type { Redis } from '../../server/redis.ts';
import type { Database } from '../database/database.ts';
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

/** ARGV: name of the new epoch. */
const GIVE_UP = `
if redis.call('GET', KEYS[1] .. 'restoring') == ARGV[1] then redis.call('DEL', KEYS[1] .. 'restoring') end
return 1`;

/** What restoring needs of its surroundings; `prefix` begins every key. */
export interface RestoreParts {
  readonly redis: Redis;
  readonly db: Database;
  readonly account: string;
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
export async function restoreLimits(parts: RestoreParts): Promise<Restored> {
  const { redis, prefix, now, newId } = parts;
  const epoch = newId(now());
  const run: Run = (script, ...args) => redis.eval(script, 1, prefix, epoch, ...args);
  const runId = String(await run(BEGIN));
  if (runId === '') return 'known';
  if (runId === 'busy') return 'busy';
  try {
    const today = await restoreTurns(parts, run);
    const day = dayOf(now());
    mustBeOurs(await run(END, runId, day.number, today, day.endsAt - now()));
    return 'restored';
  } catch (error) {
    // Without it, the next to try would wait for the end of the lock.
    await run(GIVE_UP).catch(() => {});
    throw error;
  }
}

type Run = (script: string, ...args: readonly (string | number)[]) => Promise<unknown>;

/** Resolves to the person-times of today. */
async function restoreTurns({ db, account, now }: RestoreParts, run: Run): Promise<number> {
  const add = async (page: readonly Used[]) => {
    // Under the id of the delivery: what is read once as open and once as final is counted once.
    const turns = page
      .filter(hasWindow)
      .flatMap(({ receiver, id, count, at }) =>
        Array.from({ length: count }, (_, part) => [receiver, `d${id}.${part}`, at]),
      );
    // An empty page renews the lock as well.
    for (let from = 0; from === 0 || from < turns.length; from += CHUNK) {
      mustBeOurs(await run(ADD, ...turns.slice(from, from + CHUNK).flat()));
    }
  };
  let today = 0;
  // First what is open: what becomes final meanwhile is then read as final, and nothing is missed.
  for await (const page of usedByOpen(db, account, { now: now(), sendingAt: now() + LONGEST_CALL })) {
    await add(page);
    for (const { receiver, count } of page) today += isPersonTime(receiver) ? count : 0;
  }
  for await (const page of usedSince(db, account, now() - HOUR - MARGIN)) await add(page);
  return today + (await personTimes(db, account, { since: dayOf(now()).beginsAt, now: now() }));
}

function mustBeOurs(answer: unknown): void {
  if (answer !== 1) throw new Error('Redis lost the limits again while they were restored');
}

function hasWindow({ receiver }: Used): boolean {
  const kind = limitKind(receiver);
  return kind === 'member' || kind === 'robot';
}

function isPersonTime(receiver: Used['receiver']): boolean {
  const kind = limitKind(receiver);
  return kind === 'member' || kind === 'broad';
}
