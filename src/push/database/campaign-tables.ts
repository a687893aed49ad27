import { type Generated, sql } from 'kysely';
import { asciiChar, statements, TABLE_OPTIONS } from '../../server/migrations.ts';

/** How far a campaign is. */
export type CampaignState =
  | 'loading' // its receivers are streaming in; nobody sees it
  | 'removing' // they broke off, or it ended long ago: it is being removed, and nobody sees it
  | 'draft' // whole, and waits for somebody to start it
  | 'scheduled' // waits for its time, or for the next one
  | 'running' // its receivers are being handed out, or their messages are not final yet
  | 'paused' // nobody more is handed out
  | 'done'
  | 'stopped'; // for good, by somebody or because its run could not begin

/** The states that its app sees. */
export const visibleStates = ['draft', 'scheduled', 'running', 'paused', 'done', 'stopped'] as const;

/** Campaigns, their receivers, and what runs have handed out. */
export interface CampaignTables {
  /** One campaign. Times are Unix ms; `variables`, `shared_names`, `schedule` and `content` are JSON. */
  campaigns: {
    serial: Generated<number>;
    id: string;
    app: string;
    account: Generated<string>;
    name: string;
    state: CampaignState;
    template_key: string;
    variables: string;
    /** The names of the variables that every receiver brings. */
    shared_names: string;
    schedule: string | null;
    per_minute: number | null;
    per_day: number | null;
    callback_url: string | null;
    idempotency_key: string | null;
    request_hash: string;
    total: Generated<number>;
    doubles: Generated<number>;
    /** Which run it is in or had last; 0 before the first. */
    run: Generated<number>;
    /** The number of the last receiver that this run has handed out. */
    position: Generated<number>;
    /** The template as it was when the run began. */
    content: string | null;
    template_version: number | null;
    next_run_at: number | null;
    created_at: number;
    /** When a row came in last, while it is loading. */
    touched_at: number;
    started_at: number | null;
    finished_at: number | null;
    /** Why a run did not begin. */
    problem: string | null;
  };
  /** One receiver of a campaign, a userid in lower case; `number` is its place in the file. */
  campaign_receivers: {
    campaign: number;
    number: number;
    user: string;
    variables: string | null;
  };
  /** A receiver that was handed out and, by a pause, taken back before anything was sent to it. */
  campaign_returned: {
    campaign: number;
    number: number;
  };
  /** One message that a run has handed out. */
  campaign_slices: {
    id: Generated<number>;
    campaign: number;
    run: number;
    message_id: string;
    handed_at: number;
    /** How many receivers it has. */
    size: number;
    /** `finished_at` of the message when its deliveries were counted: counts hold as long as the message's is the same. */
    settled_at: number | null;
    counts: string | null;
  };
}

const ID = asciiChar(36);

export const campaignTables = statements(
  sql`create table if not exists campaigns (
    serial bigint primary key auto_increment,
    id ${ID} not null,
    app varchar(32) not null,
    name varchar(100) not null,
    state varchar(9) not null,
    template_key varchar(32) not null,
    variables text not null,
    shared_names text not null,
    schedule varchar(300),
    per_minute int,
    per_day int,
    callback_url varchar(2048),
    idempotency_key varchar(128),
    request_hash ${asciiChar(64)} not null,
    total int not null default 0,
    doubles int not null default 0,
    run int not null default 0,
    position int not null default 0,
    content mediumtext,
    template_version int,
    next_run_at bigint,
    created_at bigint not null,
    touched_at bigint not null,
    started_at bigint,
    finished_at bigint,
    problem varchar(600),
    unique key campaigns_by_id (id),
    unique key campaigns_once (app, idempotency_key),
    key campaigns_by_state (state, next_run_at)
  ) ${TABLE_OPTIONS}`,
  sql`create table if not exists campaign_receivers (
    campaign bigint not null,
    number int not null,
    user varchar(64) character set ascii collate ascii_bin not null,
    variables text,
    primary key (campaign, number),
    unique key campaign_receivers_once (campaign, user)
  ) ${TABLE_OPTIONS}`,
  sql`create table if not exists campaign_returned (
    campaign bigint not null,
    number int not null,
    primary key (campaign, number)
  ) ${TABLE_OPTIONS}`,
  sql`create table if not exists campaign_slices (
    id bigint primary key auto_increment,
    campaign bigint not null,
    run int not null,
    message_id ${ID} not null,
    handed_at bigint not null,
    size int not null,
    settled_at bigint,
    counts text,
    unique key campaign_slices_by_message (message_id),
    key campaign_slices_by_run (campaign, run),
    key campaign_slices_by_time (campaign, handed_at),
    key campaign_slices_unsettled (settled_at, campaign)
  ) ${TABLE_OPTIONS}`,
);
