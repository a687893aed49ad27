import { type Insertable, type Selectable, sql, type Updateable } from 'kysely';
import { InputError } from '../../errors.ts';
import { transact } from '../../server/database.ts';
import { isDuplicate } from '../../server/mysql-errors.ts';
import { readScopes } from '../apps/scopes.ts';
import { ID } from '../content/fields.ts';
import { type CampaignState, type CampaignTables, visibleStates } from '../database/campaign-tables.ts';
import type { Database, Tx } from '../database/database.ts';
import type { KnownAccounts } from '../http/accounts.ts';
import { Refusal } from '../http/route.ts';
import type { QueueParts } from '../queue/queue-parts.ts';
import type { Delivery } from '../sending/delivery.ts';
import type { Templates } from '../templates/template-store.ts';
import type { NewReceiverRow } from './load-receivers.ts';

/** What campaigns need; `webhooks` hears of slices that a pause or stop has finished. */
export interface CampaignParts extends Pick<QueueParts, 'db' | 'webhooks' | 'now' | 'newId' | 'onError'> {
  readonly messageQueue: Pick<Delivery, 'insert' | 'wake'>;
  readonly templates: Pick<Templates, 'resolve'>;
  readonly accounts: KnownAccounts;
}

/** A row of the campaigns table. */
export type CampaignRow = Readonly<Selectable<CampaignTables['campaigns']>>;

/** The campaigns of an app that are whole. */
const wholeOnes = (db: Database, app: string) =>
  db.selectFrom('campaigns').selectAll().where('app', '=', app).where('state', 'in', visibleStates);

/** A campaign of this app that is whole. Throws a Refusal when the app has none under this id. */
export async function findCampaign(db: Database, app: string, id: string): Promise<CampaignRow> {
  // The column is ASCII, and MySQL refuses to compare other signs.
  const found = wholeOnes(db, app).where('id', '=', ID.test(id) ? id : '');
  return found.executeTakeFirstOrThrow(
    () => new Refusal(404, 'this app has no campaign with this id; GET /v1/campaigns lists them'),
  );
}

/** Campaigns of this app, newest first, those after `after` in that order. */
export function listCampaigns(
  db: Database,
  app: string,
  { after, limit }: { readonly after: string | undefined; readonly limit: number },
): Promise<readonly CampaignRow[]> {
  const all = wholeOnes(db, app);
  const rest = after === undefined ? all : all.where('id', '<', after);
  return rest.orderBy('id', 'desc').limit(limit).execute();
}

/** Campaigns in one state, by serial; the due ones of those that wait for a time. */
export function campaignsIn(
  db: Database,
  state: CampaignState,
  dueAt?: number,
): Promise<readonly CampaignRow[]> {
  const all = db.selectFrom('campaigns').selectAll().where('state', '=', state);
  const due = dueAt === undefined ? all : all.where('next_run_at', '<=', dueAt);
  return due.orderBy('serial').limit(1000).execute();
}

/**
 * Changes a campaign that is still as it was seen; false when somebody else was faster. Its row is found by its key: by the
 * index of states whoever waits for a row would hold an entry that the owner of the row waits for.
 */
export async function changeCampaign(
  db: Database | Tx,
  { serial, state, run, next_run_at }: Pick<CampaignRow, 'serial' | 'state' | 'run' | 'next_run_at'>,
  change: Updateable<CampaignTables['campaigns']>,
): Promise<boolean> {
  const set = Object.entries(change).map(([column, value]) => sql`${sql.id(column)} = ${value}`);
  const { numAffectedRows = 0n } = await sql`update campaigns force index (primary) set ${sql.join(set)}
    where serial = ${serial} and state = ${state} and run = ${run} and next_run_at <=> ${next_run_at}`.execute(
    db,
  );
  return numAffectedRows > 0n;
}

/**
 * Why the app of a campaign may not send it to these users now, in a sentence; null when it may. Asked before each slice, so that
 * disabling an app, or taking a scope from it, also stops what it had started.
 */
export async function refusalOf(
  db: Database | Tx,
  { app, account, template_key }: CampaignRow,
  users: readonly string[] = [],
): Promise<string | null> {
  const row = await db
    .selectFrom('apps')
    .select(['enabled', 'scopes'])
    .where('app_id', '=', app)
    .executeTakeFirst();
  if (row?.enabled !== 1) return `the app ${app} is disabled`;
  const scopes = readScopes(JSON.parse(row.scopes));
  if (!scopes.allows('campaigns')) return `the app ${app} has no scope campaigns any more`;
  if (!scopes.allowsTemplate(template_key)) return `the app ${app} may not use this template any more`;
  if (!scopes.allowsAccount(account)) return `the app ${app} may not use the account ${account} any more`;
  const user = users.find((each) => !scopes.allowsReceiver(`user:${each}`));
  return user === undefined ? null : `the app ${app} may not send to ${user} any more`;
}

/** Writes a campaign down that nobody sees yet; resolves to its serial, or to null when its idempotency key is taken. */
export async function insertCampaign(
  db: Database,
  row: Insertable<CampaignTables['campaigns']>,
): Promise<number | null> {
  try {
    const { insertId } = await db.insertInto('campaigns').values(row).executeTakeFirstOrThrow();
    return Number(insertId);
  } catch (error) {
    if (isDuplicate(error) && typeof row.idempotency_key === 'string') return null;
    throw error;
  }
}

/** Who holds this idempotency key, in whatever state. */
export function findByKey(db: Database, app: string, key: string | null): Promise<CampaignRow | undefined> {
  return db
    .selectFrom('campaigns')
    .selectAll()
    .where('app', '=', app)
    .where('idempotency_key', '=', key)
    .executeTakeFirst();
}

/** Changes a campaign that is loading. Throws an InputError when it was given up meanwhile. */
export async function changeLoading(
  db: Database | Tx,
  serial: number,
  change: Updateable<CampaignTables['campaigns']>,
): Promise<void> {
  const seen = { serial, state: 'loading', run: 0, next_run_at: null } as const;
  if (await changeCampaign(db, seen, change)) return;
  throw new InputError('the campaign came in too slowly and was given up; send it again');
}

/** Adds receivers; resolves to how many were new. Throws an InputError when the campaign is not loading any more. */
export function addReceivers(
  db: Database,
  { serial, rows, now }: { serial: number; rows: readonly NewReceiverRow[]; now: number },
): Promise<number> {
  return transact(db, async (tx) => {
    // Holds the row until the commit, so that a purge never removes a campaign under the hands of its loader.
    await changeLoading(tx, serial, { touched_at: now });
    const added = await tx
      .insertInto('campaign_receivers')
      .ignore()
      .values(rows.map((row) => ({ campaign: serial, ...row })))
      .executeTakeFirst();
    return Number(added.numInsertedOrUpdatedRows ?? 0);
  });
}
