import { type Generated, sql } from 'kysely';
import { asciiChar } from '../../server/migrations.ts';
import { type RowsOf, table } from './schema.ts';

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

const ID = asciiChar(36);

/** Campaigns, their receivers, and what runs have handed out. */
export const campaignTables = {
  /** One campaign. Times are Unix ms; `variables`, `shared_names`, `schedule` and `content` are JSON. */
  campaigns: table(
    {
      serial: sql<Generated<number>>`bigint primary key auto_increment`,
      id: sql<string>`${ID} not null`,
      app: sql<string>`varchar(32) not null`,
      account: sql<Generated<string>>`varchar(32) not null default 'default'`,
      name: sql<string>`varchar(100) not null`,
      state: sql<CampaignState>`varchar(9) not null`,
      template_key: sql<string>`varchar(32) not null`,
      variables: sql<string>`text not null`,
      /** The names of the variables that every receiver brings. */
      shared_names: sql<string>`text not null`,
      schedule: sql<string | null>`varchar(300)`,
      per_minute: sql<number | null>`int`,
      per_day: sql<number | null>`int`,
      callback_url: sql<string | null>`varchar(2048)`,
      idempotency_key: sql<string | null>`varchar(128)`,
      request_hash: sql<string>`${asciiChar(64)} not null`,
      total: sql<Generated<number>>`int not null default 0`,
      doubles: sql<Generated<number>>`int not null default 0`,
      /** Which run it is in or had last; 0 before the first. */
      run: sql<Generated<number>>`int not null default 0`,
      /** The number of the last receiver that this run has handed out. */
      position: sql<Generated<number>>`int not null default 0`,
      /** The template as it was when the run began. */
      content: sql<string | null>`mediumtext`,
      template_version: sql<number | null>`int`,
      next_run_at: sql<number | null>`bigint`,
      created_at: sql<number>`bigint not null`,
      /** When a row came in last, while it is loading. */
      touched_at: sql<number>`bigint not null`,
      started_at: sql<number | null>`bigint`,
      finished_at: sql<number | null>`bigint`,
      /** Why a run did not begin. */
      problem: sql<string | null>`varchar(600)`,
    },
    sql`unique key campaigns_by_id (id)`,
    sql`unique key campaigns_once (app, idempotency_key)`,
    sql`key campaigns_by_state (state, next_run_at)`,
  ),
  /** One receiver of a campaign, a userid in lower case; `number` is its place in the file. */
  campaign_receivers: table(
    {
      campaign: sql<number>`bigint not null`,
      number: sql<number>`int not null`,
      user: sql<string>`varchar(64) character set ascii collate ascii_bin not null`,
      variables: sql<string | null>`text`,
    },
    sql`primary key (campaign, number)`,
    sql`unique key campaign_receivers_once (campaign, user)`,
  ),
  /** A receiver that was handed out and, by a pause, taken back before anything was sent to it. */
  campaign_returned: table(
    {
      campaign: sql<number>`bigint not null`,
      number: sql<number>`int not null`,
    },
    sql`primary key (campaign, number)`,
  ),
  /** One message that a run has handed out. */
  campaign_slices: table(
    {
      id: sql<Generated<number>>`bigint primary key auto_increment`,
      campaign: sql<number>`bigint not null`,
      run: sql<number>`int not null`,
      message_id: sql<string>`${ID} not null`,
      handed_at: sql<number>`bigint not null`,
      /** How many receivers it has. */
      size: sql<number>`int not null`,
      /** `finished_at` of the message when its deliveries were counted: counts hold as long as the message's is the same. */
      settled_at: sql<number | null>`bigint`,
      counts: sql<string | null>`text`,
    },
    sql`unique key campaign_slices_by_message (message_id)`,
    sql`key campaign_slices_by_run (campaign, run)`,
    sql`key campaign_slices_by_time (campaign, handed_at)`,
    sql`key campaign_slices_unsettled (settled_at, campaign)`,
  ),
};
export type CampaignTables = RowsOf<typeof campaignTables>;
