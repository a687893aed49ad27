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
  await tx
    .insertInto('result_callbacks')
    .values(
      messages.map(({ id, app, callback_url }) => ({
        message_id: id,
        app,
        host: (URL.parse(callback_url ?? '')?.hostname ?? '').slice(0, 253),
        due_at: now,
        noted_at: now,
        lease_owner: null,
        last_error: null,
        done_at: null,
      })),
    )
    .onDuplicateKeyUpdate({
      state: 'open',
      tries: 0,
      due_at: now,
      noted_at: now,
      lease_owner: null,
      last_error: null,
      done_at: null,
    })
    .execute();
}

/** Which callbacks to take: due at `now` (Unix ms), leased to `owner` until then. */
export interface Wanted {
  readonly now: number;
  readonly until: number;
  /** Never used before, so that a lease that was lost is known. */
  readonly owner: string;
  readonly count: number;
  /** How many may be under way to one host, and how many are, by host. */
  readonly perHost: number;
  readonly underWay: ReadonlyMap<string, number>;
}

/** How many were due, and what of it is ours now. */
export interface Taken {
  readonly due: number;
  readonly ours: readonly Callback[];
}

/** Takes callbacks that are due, oldest first; hosts that have their share are left out, and what another replica is taking. */
export function takeCallbacks(db: Database, wanted: Wanted): Promise<Taken> {
  const { now, until, owner, count, perHost, underWay } = wanted;
  const full = [...underWay].filter(([, busy]) => busy >= perHost).map(([host]) => host);
  return transact(db, async (tx) => {
    let query = tx
      .selectFrom('result_callbacks')
      .select(['message_id as messageId', 'app', 'host', 'tries', 'noted_at as notedAt'])
      .where('due_at', '<=', now)
      .orderBy('due_at')
      .limit(count)
      .forUpdate()
      .skipLocked();
    if (full.length > 0) query = query.where('host', 'not in', full);
    const rows = await query.execute();
    const byHost = new Map(underWay);
    const ours = rows.flatMap((row): readonly Callback[] => {
      const busy = byHost.get(row.host) ?? 0;
      byHost.set(row.host, busy + 1);
      return busy >= perHost ? [] : [{ ...row, tries: row.tries + 1, owner }];
    });
    if (ours.length === 0) return { due: rows.length, ours };
    const ids = ours.map(({ messageId }) => messageId);
    await tx
      .updateTable('result_callbacks')
      .set((is) => ({ due_at: until, lease_owner: owner, tries: is('tries', '+', 1) }))
      .where('message_id', 'in', ids)
      .execute();
    return { due: rows.length, ours };
  });
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

/** How many deliveries of a message ended in each state; `maybeTwice` when any may have arrived twice. */
export async function countDeliveries(db: Database, messageId: string) {
  return db
    .selectFrom('deliveries')
    .select((row) => [
      'state',
      row.fn.countAll<number>().as('count'),
      sql<number>`max(maybe_twice)`.as('twice'),
    ])
    .where('message_id', '=', messageId)
    .groupBy('state')
    .execute();
}
