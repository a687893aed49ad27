import { type RawBuilder, sql } from 'kysely';
import { transact } from '../../server/database.ts';
import type { Receiver } from '../content/message.ts';
import type { Database } from '../database/database.ts';
import { table } from '../database/values.ts';

/** How long a claim holds without being renewed; ms. */
export const LEASE_MS = 15_000;

/** One delivery as a worker that wants to send it finds it. */
export interface Candidate {
  readonly id: number;
  readonly messageId: string;
  readonly account: string;
  readonly receiver: Receiver;
  readonly line: string | null;
  /** 1 when a call of its message may serve it together with others. */
  readonly shared: number;
  readonly state: string;
  readonly dueAt: number;
  readonly tries: number;
  readonly parts: number;
  readonly msgids: string | null;
  readonly errcode: string | null;
  /** When the next part was first sent without anybody seeing the answer; that of one left behind is taken for such. */
  readonly lostAt: number | null;
  readonly leaseUntil: number | null;
  readonly variables: string | null;
  /** The lowest id of its line, and whoever of it is in flight. */
  readonly head: number | null;
  readonly holder: number | null;
}

/** A delivery with what its message says, as it was written down. */
export interface Lead extends Candidate {
  readonly app: string;
  readonly content: string;
  /** The variables that all receivers of the message have in common. */
  readonly common: string | null;
  readonly receivers: number;
}

// The order of the index is the order of coming; without the hint MariaDB may walk through the primary key instead.
const columns = sql`d.id, d.message_id messageId, d.account, d.receiver, d.line, d.shared, d.state, d.due_at dueAt, d.tries, d.parts,
  d.msgids, d.errcode, d.lease_until leaseUntil, d.variables,
  if(d.state = 'sending', coalesce(d.lost_at, d.lease_until - ${sql.lit(LEASE_MS)}), d.lost_at) lostAt,
  (select e.id from deliveries e force index (deliveries_by_line) where e.line = d.line order by e.id limit 1) head,
  (select b.id from deliveries b force index (deliveries_busy) where b.busy = d.line) holder`;

/** Reads deliveries by id, each with its message. */
export async function readDeliveries(db: Database, ids: readonly number[]): Promise<readonly Lead[]> {
  const { rows } = await sql<Lead>`
    select ${columns}, m.app, m.content, m.variables common, m.receivers
    from deliveries d straight_join messages m on m.id = d.message_id
    where d.id in (${sql.join(ids)}) order by d.id`.execute(db);
  return rows;
}

/** Those whom one call of a message can serve and that could be sent now, if the order of their lines lets them. */
export async function readSiblings(db: Database, messageId: string, now: number) {
  const { rows } = await sql<Candidate>`
    select ${columns} from deliveries d
    where d.message_id = ${messageId} and d.shared = 1 and d.line is not null and ${isFree(now)}
    order by d.id`.execute(db);
  return rows;
}

/**
 * Takes deliveries that are still free, until `now` and a lease; resolves to the ids that were. Throws a duplicate when
 * another of a line has been taken meanwhile, and has then taken none.
 */
export async function takeDeliveries(
  db: Database,
  ids: readonly number[],
  { owner, now }: { readonly owner: string; readonly now: number },
): Promise<ReadonlySet<number>> {
  if (ids.length === 0) return new Set();
  const taken = await sql`
    update deliveries d set
      lost_at = if(state = 'sending', coalesce(lost_at, lease_until - ${sql.lit(LEASE_MS)}), lost_at),
      maybe_twice = if(lost_at is null, maybe_twice, 1),
      state = 'sending', busy = line, lease_owner = ${owner}, lease_until = ${now + LEASE_MS}
    where id in (${sql.join(ids)}) and line is not null and ${isFree(now)}`.execute(db);
  if (Number(taken.numAffectedRows) === ids.length) return new Set(ids);
  const rows = await db
    .selectFrom('deliveries')
    .select('id')
    .where('id', 'in', ids)
    .where('lease_owner', '=', owner)
    .execute();
  return new Set(rows.map(({ id }) => id));
}

/** Puts deliveries that were taken, and not sent, back into their lines until the Unix ms beside their ids. */
export async function putBack(
  db: Database,
  waits: readonly { readonly id: number; readonly at: number }[],
  owner: string,
): Promise<void> {
  if (waits.length === 0) return;
  const v = table(waits.map(({ id, at }) => ({ id, at })));
  // A deadlock must not begin the claim anew, which would leave behind those that have their turn.
  await transact(db, async (tx) => {
    await sql`update ${v} v straight_join deliveries d on d.id = v.id set
        d.busy = null, d.lease_owner = null, d.lease_until = null, d.due_at = v.at, d.state = 'queued'
      where d.state = 'sending' and d.lease_owner = ${owner}`.execute(tx);
  });
}

/** Renews leases, by delivery and owner, that have not ended by `now`. */
export async function renewLeases(
  db: Database,
  owners: ReadonlyMap<number, string>,
  now: number,
): Promise<void> {
  await sql`update deliveries set lease_until = ${now + LEASE_MS}
    where id in (${sql.join([...owners.keys()])}) and state = 'sending' and lease_until > ${now}
      and lease_owner in (${sql.join([...new Set(owners.values())])})`.execute(db);
}

/** Queued and due, or left behind by somebody who has not renewed the lease. */
function isFree(now: number): RawBuilder<unknown> {
  return sql`((d.state = 'queued' and d.due_at <= ${now}) or (d.state = 'sending' and d.lease_until <= ${now}))`;
}
