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

/** Which callbacks to take: due at `now` (Unix ms), leased to `owner` until then. */
export interface Wanted {
  readonly now: number;
  readonly until: number;
  /** Never used before, so that a lease that was lost is known. */
  readonly owner: string;
  readonly count: number;
  /** How many may be under way to one host, and the hosts of those that are. */
  readonly perHost: number;
  readonly underWay: readonly string[];
}

/**
 * Takes callbacks that are due, oldest first; hosts that have their share are left out, and what another replica is
 * taking. Resolves to how many were due, at most `count`, and to what of it is ours now.
 */
export async function takeCallbacks(
  db: Database,
  wanted: Wanted,
): Promise<{ readonly due: number; readonly ours: readonly Callback[] }> {
  const { now, until, owner, count, perHost, underWay } = wanted;
  // Most looks find nothing, and cost no transaction.
  const first = await db
    .selectFrom('result_callbacks')
    .select('due_at')
    .where('due_at', '<=', now)
    .limit(1)
    .execute();
  if (first.length === 0) return { due: 0, ours: [] };
  return transact(db, async (tx) => {
    const busy = Map.groupBy(underWay, (host) => host);
    const roomOf = (host: string) => perHost - (busy.get(host)?.length ?? 0);
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
