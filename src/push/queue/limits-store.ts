import { sql } from 'kysely';
import { databaseTime } from '../database/clock.ts';
import type { Database, Tx } from '../database/database.ts';
import { inParts, valuesTable } from '../database/values.ts';
import { nextBlock, SLACK, type Usage, type Window } from './limits.ts';

/** The blocks that hold at `now` (Unix ms): until when, by account (`account/NAME`) or receiver. */
export async function readBlocks(tx: Tx, now: number): Promise<ReadonlyMap<string, number>> {
  const { rows } = await sql<{ what: string; until: number }>`
    select what, until_at until from blocks where until_at > ${now}`.execute(tx);
  return new Map(rows.map(({ what, until }) => [what, until]));
}

const ACCOUNT = 'account/';

/** The accounts that WeCom blocks at the moment, and until when (Unix ms). */
export async function readBlockedAccounts(db: Database): Promise<ReadonlyMap<string, number>> {
  const { rows } = await sql<{ what: string; until: number }>`select what, until_at until from blocks
    where until_at > ${databaseTime} and what like ${`${ACCOUNT}%`}`.execute(db);
  return new Map(rows.map(({ what, until }) => [what.slice(ACCOUNT.length), until]));
}

/** Blocks an account (`account/NAME`) or a receiver for so many ms, or longer if it was blocked lately. */
export async function writeBlock(tx: Tx, what: string, ms: number): Promise<void> {
  const { rows } = await sql<{ now: number; until: number | null; last: number | null }>`
    select ${databaseTime} now, b.until_at until, b.ms last
    from (select 1) one left join blocks b on b.what = ${what} for update`.execute(tx);
  const [{ now, until, last } = { now: 0, until: null, last: null }] = rows;
  const before = until === null || last === null ? undefined : { until, ms: last };
  const next = nextBlock(before, { until: now + ms, ms });
  await sql`insert into blocks (what, until_at, ms) values (${what}, ${next.until}, ${next.ms})
    on duplicate key update until_at = values(until_at), ms = values(ms)`.execute(tx);
}

/** A receiver with the windows in which its calls are counted, the shortest first. */
export interface Counted {
  readonly target: string;
  readonly windows: readonly Window[];
}

/**
 * Of these receivers those that are close to a limit at `now`, each with the windows that matter; all others are free. The
 * whole history of a receiver is never walked: an index gives the n-th last call.
 */
export async function findClose(
  tx: Tx,
  counted: readonly Counted[],
  now: number,
): Promise<readonly Counted[]> {
  const last = new Map<string, number>();
  for (const [most, some] of Map.groupBy(counted, ({ windows: [first] }) => first?.most ?? 0)) {
    const found = await readEnds(tx, some, [most - SLACK - 1]);
    for (const [target, [at = 0]] of found) last.set(target, at);
  }
  return counted.flatMap(({ target, windows }) => {
    const close = windows.filter(({ ms }) => (last.get(target) ?? 0) > now - ms);
    return close.length === 0 ? [] : [{ target, windows: close }];
  });
}

/** When the last calls of receivers ended, as far as they matter. */
export async function readUsage(tx: Tx, counted: readonly Counted[]): Promise<ReadonlyMap<string, Usage>> {
  const usage = new Map<string, Usage>();
  const each = counted.flatMap(({ target, windows }) => windows.map((window) => ({ target, window })));
  for (const [most, some] of Map.groupBy(each, ({ window }) => window.most)) {
    const places = Array.from({ length: SLACK + 1 }, (_, index) => most - SLACK - 1 + index);
    const ends = await readEnds(tx, some, places);
    for (const { target, window } of some)
      usage.set(target, [...(usage.get(target) ?? []), { ...window, ends: ends.get(target) ?? [] }]);
  }
  return usage;
}

/** When the calls of receivers ended that stand at these places, counted from the last; as far as there are any. */
async function readEnds(
  tx: Tx,
  receivers: readonly { readonly target: string }[],
  places: readonly number[],
): Promise<ReadonlyMap<string, readonly number[]>> {
  const targets = receivers.map(({ target }) => ({ target }));
  // The whole order of the index is named: MySQL would sort a receiver's history otherwise.
  const ends = places.map(
    (place, index) => sql`(select a.ended_at from attempts a force index (attempts_by_target)
      where a.target = v.target order by a.target desc, a.ended_at desc
      limit ${sql.lit(place)}, 1) ${sql.id(`end${index}`)}`,
  );
  const { rows } = await sql<Readonly<Record<string, string | number | null>>>`
    select v.target, ${sql.join(ends)} from ${valuesTable({ target: 'varchar' }, targets)} v`.execute(tx);
  return new Map(
    rows.map(({ target, ...found }) => [
      String(target),
      Object.values(found).flatMap((at) => (at === null ? [] : [Number(at)])),
    ]),
  );
}

/** How many receivers of an account count for a day of China. */
export interface DayCount {
  readonly account: string;
  readonly day: number;
  readonly count: number;
}

/** How many receivers accounts have sent to on a day. */
export async function readDay(
  tx: Tx,
  accounts: readonly string[],
  day: number,
): Promise<ReadonlyMap<string, number>> {
  const rows = await inParts(
    tx,
    accounts,
    (some) => sql<{ account: string; used: number }>`
      select account, used from sent_days where account in (${some}) and day = ${day}`,
  );
  return new Map(rows.map(({ account, used }) => [account, used]));
}

/**
 * Changes by how much accounts have sent on days; touched last, so that rows are held briefly, and in one order, so that
 * replicas wait for each other instead of deadlocking.
 */
export async function addToDays(tx: Tx, added: readonly DayCount[]): Promise<void> {
  const sums = [...Map.groupBy(added, ({ account, day }) => `${account} ${day}`).values()].flatMap((some) => {
    const count = some.reduce((sum, each) => sum + each.count, 0);
    return some[0] !== undefined && count !== 0 ? [{ ...some[0], count }] : [];
  });
  for (const { account, day, count } of sums.toSorted(byRow)) {
    await sql`insert into sent_days (account, day, used) values (${account}, ${day}, ${Math.max(count, 0)})
      on duplicate key update used = greatest(used + ${count}, 0)`.execute(tx);
  }
}

/** The order in which rows of days are locked. */
export function byRow(one: DayCount, other: DayCount): number {
  if (one.account !== other.account) return one.account < other.account ? -1 : 1;
  return one.day - other.day;
}

/** Takes a part of a day, unless more than `most` would be used then; resolves to whether. */
export async function takeOfDay(tx: Tx, { account, day, count }: DayCount, most: number): Promise<boolean> {
  const { numAffectedRows } = await sql`update sent_days set used = used + ${count}
    where account = ${account} and day = ${day} and used + ${count} <= ${most}`.execute(tx);
  if (numAffectedRows === 1n) return true;
  if (count > most) return false;
  // The first of the day; somebody else may be at the same moment.
  const first = await sql`
    insert ignore into sent_days (account, day, used) values (${account}, ${day}, ${count})`.execute(tx);
  return first.numAffectedRows === 1n;
}
