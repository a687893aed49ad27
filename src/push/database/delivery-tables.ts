import { type Generated, type GeneratedAlways, type Selectable, sql } from 'kysely';
import { asciiChar } from '../../server/migrations.ts';
import type { DeliveryState, Lane, Receiver } from '../content/message.ts';
import { type RowsOf, table } from './schema.ts';

/** `due_at` of a line in which nothing waits. */
export const NEVER = Number.MAX_SAFE_INTEGER;

const ID = asciiChar(36);
const ACCOUNT = sql<Generated<string>>`varchar(32) not null default 'default'`;

/** States in which few deliveries end. */
export const rareStates: readonly DeliveryState[] = ['failed', 'dead', 'recalled'];
const RARE = sql.join(rareStates.map((state) => sql.lit(state)));

/** Messages, the queue, and what the limits count. */
export const deliveryTables = {
  /** One message as an app handed it in. Times are Unix ms; `content` and `variables` are JSON. */
  messages: table(
    {
      id: sql<string>`${ID} primary key`,
      app: sql<string>`varchar(32) not null`,
      account: ACCOUNT,
      lane: sql<Lane>`varchar(6) not null`,
      kind: sql<string>`varchar(16) not null`,
      content: sql<string>`mediumtext not null`,
      variables: sql<string | null>`mediumtext`,
      template_key: sql<string | null>`varchar(32)`,
      template_version: sql<number | null>`int`,
      opaque: sql<string | null>`varchar(1024)`,
      idempotency_key: sql<string | null>`varchar(128)`,
      request_hash: sql<string>`${asciiChar(64)} not null`,
      callback_url: sql<string | null>`varchar(2048)`,
      campaign_id: sql<string | null>`${ID}`,
      /** How many deliveries it has, and how many of them are not final yet. */
      receivers: sql<number>`int not null`,
      open: sql<number>`int not null`,
      created_at: sql<number>`bigint not null`,
      send_at: sql<number>`bigint not null`,
      finished_at: sql<number | null>`bigint`,
    },
    sql`unique key messages_once (app, idempotency_key)`,
    sql`key messages_by_time (app, created_at)`,
    sql`key messages_by_campaign (campaign_id)`,
    sql`key messages_by_end (finished_at)`,
  ),
  /** One message to one receiver. */
  deliveries: table(
    {
      id: sql<Generated<number>>`bigint primary key auto_increment`,
      message_id: sql<string>`${ID} not null`,
      /** Whose limits it counts for: the account of its message, for a robot always the default. */
      account: ACCOUNT,
      receiver: sql<Receiver>`varchar(100) not null`,
      /** Lane, account and receiver while it stands in line; null when it is over. */
      line: sql<string | null>`varchar(150)`,
      /** Its place in the line, by the clock of the database: the lowest is next, then the lowest id. A message for later has its time here. */
      since: sql<number>`bigint not null`,
      /** 1 when the call that sends it may name others of its message as well. */
      shared: sql<Generated<number>>`tinyint not null default 0`,
      state: sql<Generated<DeliveryState>>`varchar(9) not null default 'queued'`,
      /** The state if it is one in which few end, so that these are found among millions. */
      rare_state: sql<
        GeneratedAlways<DeliveryState | null>
      >`varchar(9) as (if(state in (${RARE}), state, null)) stored`,
      /** Not to be tried before then. */
      due_at: sql<number>`bigint not null`,
      tries: sql<Generated<number>>`int not null default 0`,
      /** How many parts of a split text have been sent. */
      parts: sql<Generated<number>>`int not null default 0`,
      /** JSON list of what WeCom called the parts; a recall needs all. */
      msgids: sql<string | null>`text`,
      errcode: sql<string | null>`varchar(16)`,
      /** WeCom's errmsg and what to do about it. */
      problem: sql<string | null>`varchar(1000)`,
      /** 1 when it may have arrived twice: a try whose answer nobody saw was repeated. */
      maybe_twice: sql<Generated<number>>`tinyint not null default 0`,
      /** When the part that comes next was first sent without anybody seeing the answer; the next try asks WeCom to compare. */
      lost_at: sql<number | null>`bigint`,
      variables: sql<string | null>`text`,
      finished_at: sql<number | null>`bigint`,
    },
    sql`key deliveries_by_message (message_id)`,
    sql`key deliveries_by_line (line, since, id)`,
    sql`key deliveries_by_rare_state (rare_state, message_id)`,
  ),
  /** The queue: one row for each line that anything stands in, or stood in lately. Whoever sends its next delivery owns it until `due_at`. */
  delivery_lines: table(
    {
      line: sql<string>`varchar(150) primary key`,
      /** The account that sends it; empty for group robots, which belong to none. */
      account: sql<string>`varchar(32) not null`,
      lane: sql<Lane>`varchar(6) not null`,
      /** When to look at it, or until when the lease of its owner goes; `NEVER` when nothing waits. */
      due_at: sql<number>`bigint not null`,
      owner: sql<string | null>`${asciiChar(36)}`,
      /** What the owner sends. */
      delivery_id: sql<number | null>`bigint`,
    },
    sql`key delivery_lines_by_time (account, lane, due_at)`,
  ),
  /** One call of WeCom for one delivery; `errcode` 0 is success, words stand for no answer. */
  attempts: table(
    {
      id: sql<Generated<number>>`bigint primary key auto_increment`,
      delivery_id: sql<number>`bigint not null`,
      at: sql<number>`bigint not null`,
      ms: sql<number>`int not null`,
      errcode: sql<string>`varchar(16) not null`,
      errmsg: sql<string>`varchar(600) not null`,
      msgid: sql<string | null>`varchar(128)`,
      /** Whose limits it counts against (account and receiver); null when WeCom was never reached. */
      target: sql<string | null>`varchar(143)`,
      /** When it was noted, by the clock of the database: the limits count from then. */
      ended_at: sql<number | null>`bigint`,
      /** Which part of the message it sent, and the digest of what it said where WeCom can check for repeats. */
      part: sql<number | null>`int`,
      words: sql<string | null>`varchar(27)`,
    },
    sql`key attempts_by_delivery (delivery_id)`,
    sql`key attempts_by_target (target, ended_at)`,
  ),
  /** How many receivers an account has sent to on a day of China. */
  sent_days: table(
    {
      account: sql<string>`varchar(32) not null`,
      day: sql<number>`int not null`,
      used: sql<number>`int not null`,
    },
    sql`primary key (account, day)`,
  ),
  /** Until when WeCom takes nothing of an account (`account/NAME`) or for one receiver, and for how long that was. */
  blocks: table({
    what: sql<string>`varchar(150) primary key`,
    until_at: sql<number>`bigint not null`,
    ms: sql<number>`int not null`,
  }),
};
export type DeliveryTables = RowsOf<typeof deliveryTables>;

/** A message, a delivery, and an attempt, as they are read. */
export type MessageRow = Readonly<Selectable<DeliveryTables['messages']>>;
export type DeliveryRow = Readonly<Selectable<DeliveryTables['deliveries']>>;
export type AttemptRow = Readonly<Selectable<DeliveryTables['attempts']>>;
