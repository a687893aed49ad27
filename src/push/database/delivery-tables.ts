import { type Generated, type GeneratedAlways, sql } from 'kysely';
import { asciiChar, statements, TABLE_OPTIONS } from '../../server/migrations.ts';
import type { DeliveryState, Lane } from '../content/message.ts';

/** One message as an app handed it in. Times are Unix ms; `content` and `variables` are JSON. */
export interface MessageTable {
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
}

/** One message to one receiver; the order of ids is the order of coming. */
export interface DeliveryTable {
  id: Generated<number>;
  message_id: string;
  /** Whose limits it counts for: the account of its message, for a robot always the default. */
  account: Generated<string>;
  receiver: string;
  /** Lane, account and receiver while it stands in line: whoever has the lowest id of a line is next. Null before and after. */
  line: string | null;
  /** When it joins its line, under a new id; null when it has. */
  wakes_at: Generated<number | null>;
  /** 1 when the call that sends it may name others of its message as well. */
  shared: Generated<number>;
  /** The line while it is being sent: unique, so that the database itself lets nobody send two of a line at once. */
  busy: string | null;
  state: Generated<DeliveryState>;
  /** The state if it is one in which few end, so that these are found among millions. */
  rare_state: GeneratedAlways<DeliveryState | null>;
  /** Since when it has waited to be sent, for the age of what is queued. */
  since: number;
  /** Not before then. */
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
  lease_owner: string | null;
  lease_until: number | null;
  variables: string | null;
  finished_at: number | null;
}

/** One call of WeCom for one delivery; `errcode` 0 is success, words stand for no answer. */
export interface AttemptTable {
  id: Generated<number>;
  delivery_id: number;
  at: number;
  ms: number;
  errcode: string;
  errmsg: string;
  msgid: string | null;
}

export interface DeliveryTables {
  messages: MessageTable;
  deliveries: DeliveryTable;
  attempts: AttemptTable;
}

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
