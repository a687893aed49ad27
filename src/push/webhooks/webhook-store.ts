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
 * Takes callbacks that are due at `now` (Unix ms), oldest first, as many as there is room for beside those that are under
 * way to these hosts; what another replica is taking is left out. `owner` was never used before, so that a lease that was
 * lost is known. Resolves to what is ours now, and to whether there may be more.
 */
export async function takeCallbacks(
  db: Database,
  underWay: readonly string[],
  { now, owner }: { readonly now: number; readonly owner: string },
): Promise<{ readonly ours: readonly Callback[]; readonly isMore: boolean }> {
  const count = AT_ONCE - underWay.length;
  if (count <= 0) return { ours: [], isMore: false };
  // Most looks find nothing, and cost no transaction.
  const first = await db
    .selectFrom('result_callbacks')
    .select('due_at')
    .where('due_at', '<=', now)
    .limit(1)
    .execute();
  if (first.length === 0) return { ours: [], isMore: false };
  return transact(db, async (tx) => {
    const busy = Map.groupBy(underWay, (host) => host);
    const roomOf = (host: string) => PER_HOST - (busy.get(host)?.length ?? 0);
    const full = [...busy.keys()].filter((host) => roomOf(host) <= 0);
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
    const ours = [...Map.groupBy(rows, ({ host }) => host)].flatMap(([host, some]) =>
      some.slice(0, roomOf(host)).map((row) => ({ ...row, tries: row.tries + 1, owner })),
    );
    if (ours.length === 0) return { ours, isMore: false };
    const ids = ours.map(({ messageId }) => messageId);
    await tx
      .updateTable('result_callbacks')
      .set((is) => ({ due_at: now + LEASE_MS, lease_owner: owner, tries: is('tries', '+', 1) }))
      .where('message_id', 'in', ids)
      .execute();
    return { ours, isMore: rows.length === count };
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
