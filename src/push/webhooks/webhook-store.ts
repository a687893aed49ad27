import { sql } from 'kysely';
import { transact } from '../../server/database.ts';
import type { Database, Tx } from '../database/database.ts';
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
  if (messageIds.length === 0) return;
  const messages = await tx
    .selectFrom('messages')
    .select(['id', 'app', 'callback_url'])
    .where('id', 'in', messageIds)
    .where('callback_url', 'is not', null)
    .execute();
  if (messages.length === 0) return;
  const fresh = { due_at: now, noted_at: now, lease_owner: null, last_error: null, done_at: null };
  const rows = messages.map(({ id, app, callback_url }) => ({
    message_id: id,
    app,
    host: (URL.parse(callback_url ?? '')?.hostname ?? '').slice(0, 253),
    ...fresh,
  }));
  await tx
    .insertInto('result_callbacks')
    .values(rows)
    .onDuplicateKeyUpdate({ state: 'open', tries: 0, ...fresh })
    .execute();
}

/** At most so many at once, and to one host, so that a dead one leaves room for others. */
const AT_ONCE = 64;
const PER_HOST = 4;
/** Longer than one try can take, waiting for the database included. */
const LEASE_MS = 30_000;

/**
 * Takes callbacks that are due at `now` (Unix ms), of each host the oldest, as many as there is room for beside those that
 * are under way to these hosts; what another replica is taking is left out. `owner` was never used before, so that a
 * lease that was lost is known.
 */
export async function takeCallbacks(
  db: Database,
  underWay: readonly string[],
  { now, owner }: { readonly now: number; readonly owner: string },
): Promise<readonly Callback[]> {
  const count = AT_ONCE - underWay.length;
  if (count <= 0) return [];
  // Most looks find nothing, and cost no transaction.
  const first = await db
    .selectFrom('result_callbacks')
    .select('due_at')
    .where('due_at', '<=', now)
    .limit(1)
    .execute();
  if (first.length === 0) return [];
  // Whoever has waited longest goes first. What waits for a host that has its share is not read.
  const { rows: hosts } = await sql<{ host: string }>`
    select host, min(due_at) oldest from result_callbacks force index (result_callbacks_by_host)
    where due_at <= ${now} group by host order by oldest`.execute(db);
  const busy = Map.groupBy(underWay, (host) => host);
  return transact(db, async (tx) => {
    const ours: Callback[] = [];
    for (const { host } of hosts) {
      const room = Math.min(PER_HOST - (busy.get(host)?.length ?? 0), count - ours.length);
      if (room > 0) ours.push(...(await lockDue(tx, host, { room, now, owner })));
    }
    if (ours.length === 0) return ours;
    const ids = sql.join(ours.map(({ messageId }) => messageId));
    await sql`update result_callbacks set due_at = ${now + LEASE_MS}, lease_owner = ${owner}, tries = tries + 1
      where message_id in (${ids})`.execute(tx);
    return ours;
  });
}

/** Locks the oldest that are due for a host, as far as there is room and nobody else has them. */
async function lockDue(
  tx: Tx,
  host: string,
  { room, now, owner }: { room: number; now: number; owner: string },
) {
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
  const isOpen = verdict.state === 'open';
  await db
    .updateTable('result_callbacks')
    .set({
      state: verdict.state,
      due_at: isOpen ? verdict.dueAt : null,
      lease_owner: null,
      last_error: verdict.error?.slice(0, 200) ?? null,
      done_at: isOpen ? null : now,
    })
    .where('message_id', '=', messageId)
    .where('lease_owner', '=', owner)
    .execute();
}

/** Removes callbacks that ended before then (Unix ms). */
export async function pruneCallbacks(db: Database, before: number): Promise<void> {
  await db.deleteFrom('result_callbacks').where('done_at', '<', before).limit(10_000).execute();
}
