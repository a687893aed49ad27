import { type Generated, type GeneratedAlways, sql } from 'kysely';
import { asciiChar, statements, TABLE_OPTIONS } from '../../server/migrations.ts';
import type { DeliveryState, Lane } from '../content/message.ts';

/** Messages, the queue, and what the limits count. */
export interface DeliveryTables {
  /** One message as an app handed it in. Times are Unix ms; `content` and `variables` are JSON. */
  messages: {
    id: string;
    app: string;
    account: Generated<string>;
    lane: Lane;
    kind: string;
    content: string;
    variables: string | null;
    template_key: string | null;
    template_version: number | null;
    opaque: string | null;
    idempotency_key: string | null;
    request_hash: string;
    callback_url: string | null;
    campaign_id: string | null;
    /** How many deliveries it has, and how many of them are not final yet. */
    receivers: number;
    open: number;
    created_at: number;
    send_at: number;
    finished_at: number | null;
  };
  /** One message to one receiver. */
  deliveries: {
    id: Generated<number>;
    message_id: string;
    /** Whose limits it counts for: the account of its message, for a robot always the default. */
    account: Generated<string>;
    receiver: string;
    /** Lane, account and receiver while it stands in line; null when it is over. */
    line: string | null;
    /** Its place in the line, by the clock of the database: the lowest is next, then the lowest id. A message for later has its time here. */
    since: number;
    /** 1 when the call that sends it may name others of its message as well. */
    shared: Generated<number>;
    state: Generated<DeliveryState>;
    /** The state if it is one in which few end, so that these are found among millions. */
    rare_state: GeneratedAlways<DeliveryState | null>;
    /** Not to be tried before then. */
    due_at: number;
    tries: Generated<number>;
    /** How many parts of a split text have been sent. */
    parts: Generated<number>;
    /** JSON list of what WeCom called the parts; a recall needs all. */
    msgids: string | null;
    errcode: string | null;
    /** WeCom's errmsg and what to do about it. */
    problem: string | null;
    /** 1 when it may have arrived twice: a try whose answer nobody saw was repeated. */
    maybe_twice: Generated<number>;
    /** When the part that comes next was first sent without anybody seeing the answer; the next try asks WeCom to compare. */
    lost_at: number | null;
    variables: string | null;
    finished_at: number | null;
  };
  /** The queue: one row for each line that anything stands in, or stood in lately. Whoever sends its next delivery owns it until `due_at`. */
  delivery_lines: {
    line: string;
    /** The account that sends it; empty for group robots, which belong to none. */
    account: string;
    lane: Lane;
    /** When to look at it, or until when the lease of its owner goes; `NEVER` when nothing waits. */
    due_at: number;
    owner: string | null;
    /** What the owner sends. */
    delivery_id: number | null;
  };
  /** One call of WeCom for one delivery; `errcode` 0 is success, words stand for no answer. */
  attempts: {
    id: Generated<number>;
    delivery_id: number;
    at: number;
    ms: number;
    errcode: string;
    errmsg: string;
    msgid: string | null;
    /** Whose limits it counts against (account and receiver); null when WeCom was never reached. */
    target: string | null;
    /** When it was noted, by the clock of the database: the limits count from then. */
    ended_at: number | null;
    /** Which part of the message it sent, and the digest of what it said where WeCom can check for repeats. */
    part: number | null;
    words: string | null;
  };
  /** How many receivers an account has sent to on a day of China. */
  sent_days: {
    account: string;
    day: number;
    used: number;
  };
  /** Until when WeCom takes nothing of an account (`account/NAME`) or for one receiver, and for how long that was. */
  blocks: {
    what: string;
    until_at: number;
    ms: number;
  };
}

/** `due_at` of a line in which nothing waits. */
export const NEVER = Number.MAX_SAFE_INTEGER;

const ID = asciiChar(36);

/** States in which few deliveries end. */
export const rareStates: readonly DeliveryState[] = ['failed', 'dead', 'recalled'];
const RARE = sql.join(rareStates.map((state) => sql.lit(state)));

export const deliveryTables = statements(
  sql`create table if not exists messages (
    id ${ID} primary key,
    app varchar(32) not null,
    lane varchar(6) not null,
    kind varchar(16) not null,
    content mediumtext not null,
    variables mediumtext,
    template_key varchar(32),
    template_version int,
    opaque varchar(1024),
    idempotency_key varchar(128),
    request_hash ${asciiChar(64)} not null,
    callback_url varchar(2048),
    campaign_id ${ID},
    receivers int not null,
    open int not null,
    created_at bigint not null,
    send_at bigint not null,
    finished_at bigint,
    unique key messages_once (app, idempotency_key),
    key messages_by_time (app, created_at),
    key messages_by_campaign (campaign_id)
  ) ${TABLE_OPTIONS}`,
  sql`create table if not exists deliveries (
    id bigint primary key auto_increment,
    message_id ${ID} not null,
    receiver varchar(100) not null,
    line varchar(110),
    wakes_at bigint,
    shared tinyint not null default 0,
    busy varchar(110),
    state varchar(9) not null default 'queued',
    rare_state varchar(9) as (if(state in (${RARE}), state, null)) stored,
    since bigint not null,
    due_at bigint not null,
    tries int not null default 0,
    parts int not null default 0,
    msgids text,
    errcode varchar(16),
    problem varchar(1000),
    maybe_twice tinyint not null default 0,
    lost_at bigint,
    lease_owner ${ID},
    lease_until bigint,
    variables text,
    finished_at bigint,
    key deliveries_by_message (message_id),
    key deliveries_by_line (line, id, since),
    unique key deliveries_busy (busy),
    key deliveries_by_wake (wakes_at),
    key deliveries_by_rare_state (rare_state, message_id),
    key deliveries_by_end (finished_at, receiver)
  ) ${TABLE_OPTIONS}`,
  sql`create table if not exists attempts (
    id bigint primary key auto_increment,
    delivery_id bigint not null,
    at bigint not null,
    ms int not null,
    errcode varchar(16) not null,
    errmsg varchar(600) not null,
    msgid varchar(128),
    key attempts_by_delivery (delivery_id)
  ) ${TABLE_OPTIONS}`,
);
