import type { Selectable, Updateable } from 'kysely';
import { ID } from '../content/fields.ts';
import { type CampaignState, type CampaignTable, visibleStates } from '../database/campaign-tables.ts';
import type { Database } from '../database/database.ts';
import { Refusal } from '../http/route.ts';

/** A row of the campaigns table. */
export type CampaignRow = Readonly<Selectable<CampaignTable>>;

/** A campaign of this app that is whole. Throws a Refusal when the app has none under this id. */
export async function findCampaign(db: Database, app: string, id: string): Promise<CampaignRow> {
  const found = db
    .selectFrom('campaigns')
    .selectAll()
    // The column is ASCII, and MySQL refuses to compare other signs.
    .where('id', '=', ID.test(id) ? id : '')
    .where('app', '=', app)
    .where('state', 'in', visibleStates);
  return found.executeTakeFirstOrThrow(
    () => new Refusal(404, 'this app has no campaign with this id; GET /v1/campaigns lists them'),
  );
}

/** Who holds this idempotency key, in whatever state. */
export function findByKey(db: Database, app: string, key: string): Promise<CampaignRow | undefined> {
  return db
    .selectFrom('campaigns')
    .selectAll()
    .where('app', '=', app)
    .where('idempotency_key', '=', key)
    .executeTakeFirst();
}

/** Campaigns of this app, newest first, those after `after` in that order. */
export function listCampaigns(
  db: Database,
  app: string,
  { after, limit }: { readonly after: string | undefined; readonly limit: number },
): Promise<readonly CampaignRow[]> {
  const all = db
    .selectFrom('campaigns')
    .selectAll()
    .where('app', '=', app)
    .where('state', 'in', visibleStates);
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

/** Changes a campaign that is still as it was seen; false when somebody else was faster. */
export async function changeCampaign(
  db: Database,
  seen: Pick<CampaignRow, 'serial' | 'state' | 'run' | 'next_run_at'>,
  change: Updateable<CampaignTable>,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('campaigns')
    .set(change)
    .where('serial', '=', seen.serial)
    .where('state', '=', seen.state)
    .where('run', '=', seen.run)
    .where('next_run_at', seen.next_run_at === null ? 'is' : '=', seen.next_run_at)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}
