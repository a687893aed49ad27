import { sql } from 'kysely';
import { transact } from '../../server/database.ts';
import type { Database, Tx } from '../database/database.ts';
import { inParts, insertRows } from '../database/values.ts';
import type { CallbackState } from '../database/webhook-tables.ts';

/** A callback that this replica holds. */
export interface Callback {
  readonly messageId: string;
  readonly app: string;
  readonly host: string;
  /** With this one. */
  readonly tries: number;
  /** Unix ms. */
  readonly notedAt: number;
  readonly owner: string;
}

/** Makes a webhook due, from the beginning, for each of these messages that has an address. */
export async function insertCallbacks(tx: Tx, messageIds: readonly string[], now: number): Promise<void> {
  const messages = await inParts(
    tx,
    messageIds,
    (some) => sql<{ id: string; app: string; url: string }>`select id, app, callback_url url from messages
      where id in (${some}) and callback_url is not null`,
  );
  const rows = messages.map(({ id, app, url }) => ({
    message_id: id,
    app,
    host: (URL.parse(url)?.hostname ?? '').slice(0, 253),
    due_at: now,
    noted_at: now,
  }));
  const anew = sql`on duplicate key update state = 'open', tries = 0, due_at = values(due_at),
    noted_at = values(noted_at), lease_owner = null, last_error = null, done_at = null`;
  await insertRows(tx, 'result_callbacks', rows, anew);
}

/** At most so many at once, and to one host, so that a dead one leaves room for others. */
const AT_ONCE = 64;
const PER_HOST = 4;
/** Longer than one try can take, waiting for the database included. */
const LEASE_MS = 30_000;

/** Who takes callbacks, under a name that was never used before, so that a lease that was lost is known; and when, in Unix ms. */
interface Taker {
  readonly owner: string;
  readonly now: number;
}

/**
 * Takes callbacks that are due, of each host the oldest, as many as there is room for beside those that are under way to
 * these hosts; what another replica is taking is left out.
 */
export async function takeCallbacks(
  db: Database,
  underWay: readonly string[],
  taker: Taker,
): Promise<readonly Callback[]> {
  const { owner, now } = taker;
  const count = AT_ONCE - underWay.length;
  if (count <= 0) return [];
  // Most looks find nothing, and cost no transaction.
  const first = await sql`select due_at from result_callbacks where due_at <= ${now} limit 1`.execute(db);
  if (first.rows.length === 0) return [];
  // Whoever has waited longest goes first. What waits for a host that has its share is not read.
  const { rows: hosts } = await sql<{ host: string }>`
    select host, min(due_at) oldest from result_callbacks force index (result_callbacks_by_host)
    where due_at <= ${now} group by host order by oldest`.execute(db);
  const busy = Map.groupBy(underWay, (host) => host);
  return transact(db, async (tx) => {
    const ours: Callback[] = [];
    for (const { host } of hosts) {
      const room = Math.min(PER_HOST - (busy.get(host)?.length ?? 0), count - ours.length);
      if (room > 0) ours.push(...(await lockDue(tx, host, room, taker)));
    }
    const ids = ours.map(({ messageId }) => messageId);
    await inParts(
      tx,
      ids,
      (some) => sql`update result_callbacks
        set due_at = ${now + LEASE_MS}, lease_owner = ${owner}, tries = tries + 1 where message_id in (${some})`,
    );
    return ours;
  });
}

/** Locks the oldest that are due for a host, as far as there is room and nobody else has them. */
async function lockDue(tx: Tx, host: string, room: number, { owner, now }: Taker) {
  const { rows } = await sql<Callback>`
    select message_id messageId, app, host, tries + 1 tries, noted_at notedAt, ${owner} owner
    from result_callbacks force index (result_callbacks_by_host)
    where host = ${host} and due_at <= ${now} order by due_at limit ${sql.lit(room)}
    for update skip locked`.execute(tx);
  return rows;
}

/** What became of a try: another one at a time (Unix ms), or the end. */
export type Verdict =
  | { readonly state: 'open'; readonly dueAt: number; readonly error?: string }
  | { readonly state: Exclude<CallbackState, 'open'>; readonly error?: string };

/** Records it; nothing when the lease was lost meanwhile, or the message has a new result to post. */
export async function endTry(
  db: Database,
  { messageId, owner }: Callback,
  verdict: Verdict,
  now: number,
): Promise<void> {
  const [dueAt, doneAt] = verdict.state === 'open' ? [verdict.dueAt, null] : [null, now];
  await sql`update result_callbacks set state = ${verdict.state}, due_at = ${dueAt}, done_at = ${doneAt},
    lease_owner = null, last_error = ${verdict.error?.slice(0, 200) ?? null}
    where message_id = ${messageId} and lease_owner = ${owner}`.execute(db);
}

/** Removes callbacks that ended before then (Unix ms). */
export async function pruneCallbacks(db: Database, before: number): Promise<void> {
  await sql`delete from result_callbacks where done_at < ${before} limit 10000`.execute(db);
}
