import { sql } from 'kysely';
import type { Content } from '../content/content.ts';
import type { Lane, Variables } from '../content/message.ts';
import { databaseTime } from '../database/clock.ts';
import type { Database, Tx } from '../database/database.ts';
import type { DeliveryRow, MessageRow } from '../database/delivery-tables.ts';
import { inParts } from '../database/values.ts';
import { LEASE_MS, nextInLine } from './line-store.ts';

/** The lines of an account in a lane; robots stand under an account without a name. */
export interface LaneOfAccount {
  readonly account: string;
  readonly lane: Lane;
}

/** When the first line of each account in these lanes is due, and what time it is; Unix ms. */
export async function readDue(db: Database, lanes: readonly Lane[]) {
  const { rows } = await sql<LaneOfAccount & { readonly dueAt: number; readonly now: number }>`
    select account, lane, min(due_at) dueAt, ${databaseTime} now from delivery_lines
    where lane in (${lanes}) group by account, lane`.execute(db);
  return rows;
}

/** A line that is due, with what its last owner left behind. */
export interface DueLine {
  readonly line: string;
  readonly owner: string | null;
  readonly leaseEnd: number;
}

/** Locks lines that are due, oldest first, as far as nobody else has them. */
export async function pickLines(
  tx: Tx,
  { account, lane }: LaneOfAccount,
  { now, count }: { readonly now: number; readonly count: number },
): Promise<readonly DueLine[]> {
  const { rows } = await sql<DueLine>`
    select line, owner, due_at leaseEnd from delivery_lines force index (delivery_lines_by_time)
    where account = ${account} and lane = ${lane} and due_at <= ${now}
    order by due_at limit ${sql.lit(count)} for update skip locked`.execute(tx);
  return rows;
}

/** The delivery that is next in a line; `due_at` is not before its place there. */
export interface Candidate
  extends Pick<DeliveryRow, 'id' | 'message_id' | 'account' | 'receiver' | 'shared' | 'state' | 'due_at'>,
    Pick<DeliveryRow, 'tries' | 'parts' | 'msgids' | 'errcode' | 'lost_at' | 'variables'> {
  readonly line: string;
}

/** Who is next in lines that are locked. A line in which nothing waits has nobody. */
export function readHeads(tx: Tx, lines: readonly string[]): Promise<readonly Candidate[]> {
  return inParts(
    tx,
    lines,
    (some) => sql<Candidate>`
      select d.id, d.message_id, d.account, d.receiver, l.line, d.shared, d.state,
        greatest(d.since, d.due_at) due_at, d.tries, d.parts, d.msgids, d.errcode, d.lost_at, d.variables
      from delivery_lines l straight_join deliveries d on d.id = ${nextInLine} where l.line in (${some})`,
  );
}

/**
 * Locks the lines in which others of these messages may be next: due, and nobody's, or of an owner whose lease has run
 * out, so that a call to many that was lost is repeated as the same call.
 */
export async function pickSiblings(
  tx: Tx,
  messageIds: readonly string[],
  { now, but, most }: { readonly now: number; readonly but: ReadonlySet<string>; readonly most: number },
): Promise<readonly DueLine[]> {
  const { rows } = await sql<{ line: string }>`
    select l.line from deliveries d straight_join delivery_lines l on l.line = d.line
    where d.message_id in (${messageIds}) and d.shared = 1 and d.state in ('queued', 'sending')
      and l.due_at <= ${now} limit ${sql.lit(most)}`.execute(tx);
  const wanted = rows.map(({ line }) => line).filter((line) => !but.has(line));
  return inParts(
    tx,
    wanted.toSorted(),
    (some) => sql<DueLine>`select line, owner, due_at leaseEnd from delivery_lines
      where line in (${some}) and due_at <= ${now} for update skip locked`,
  );
}

/** What is known of a line beside one that is to be claimed; `unknown` when somebody has it at this moment. */
export type OtherLine = { readonly isOwned: boolean; readonly isDue: boolean } | 'unknown';

/** Looks at other lines, and locks those that nobody has; a line that does not exist is left out. */
export async function readOthers(
  tx: Tx,
  lines: readonly string[],
  now: number,
): Promise<ReadonlyMap<string, OtherLine>> {
  const wanted = (some: readonly string[]) => sql`from delivery_lines where line in (${some})`;
  const all = await inParts(tx, lines, (some) => sql<{ line: string }>`select line ${wanted(some)}`);
  const free = await inParts(
    tx,
    lines,
    (some) => sql<{ line: string; owner: string | null; dueAt: number }>`
      select line, owner, due_at dueAt ${wanted(some)} for update skip locked`,
  );
  const others = new Map<string, OtherLine>(all.map(({ line }) => [line, 'unknown']));
  for (const { line, owner, dueAt } of free)
    others.set(line, { isOwned: owner !== null, isDue: dueAt <= now });
  return others;
}

/** A message as it is sent: its content, and values for a template. */
export interface OutgoingMessage {
  readonly id: string;
  readonly app: string;
  readonly content: Content;
  /** Null when the content is literal. */
  readonly variables: Variables | null;
  readonly receivers: number;
}

/** Reads messages as they stand in the database, where we wrote them. What is not there, or cannot be read, is left out. */
export async function readMessages(
  tx: Tx,
  ids: readonly string[],
): Promise<ReadonlyMap<string, OutgoingMessage>> {
  const rows = await inParts(
    tx,
    ids,
    (some) => sql<Pick<MessageRow, 'id' | 'app' | 'content' | 'variables' | 'receivers'>>`
      select id, app, content, variables, receivers from messages where id in (${some})`,
  );
  const messages = new Map<string, OutgoingMessage>();
  for (const { content, variables, ...row } of rows) {
    try {
      messages.set(row.id, {
        ...row,
        content: JSON.parse(content) as Content,
        variables: variables === null ? null : (JSON.parse(variables) as Variables),
      });
    } catch {}
  }
  return messages;
}

/** Takes the deliveries that are next in lines which are locked, until `now` and a lease. */
export async function takeDeliveries(
  tx: Tx,
  ids: readonly number[],
  { owner, now }: { readonly owner: string; readonly now: number },
): Promise<void> {
  await inParts(
    tx,
    ids,
    (some) => sql`update deliveries d straight_join delivery_lines l on l.line = d.line
      set l.owner = ${owner}, l.delivery_id = d.id, l.due_at = ${now + LEASE_MS},
        d.maybe_twice = if(d.lost_at is null, d.maybe_twice, 1), d.state = 'sending'
      where d.id in (${some})`,
  );
}
