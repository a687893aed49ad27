import type { UploadedMedia } from '../../wecom/api/media-form.ts';
import type { Database } from '../database/database.ts';
import type { MediaIdTable } from '../database/media-tables.ts';

/** One content, under one name, for one account or one robot. */
export type MediaKey = Pick<MediaIdTable, 'sha256' | 'kind' | 'name' | 'owner'>;

/** A media_id that is good beyond `after` (Unix ms); null when there is none. */
export async function readMediaId(db: Database, key: MediaKey, after: number): Promise<string | null> {
  const row = await db
    .selectFrom('media_ids')
    .select('media_id')
    .where((eb) => eb.and({ ...key }))
    .where('expires_at', '>', after)
    .executeTakeFirst();
  return row?.media_id ?? null;
}

/** A turn at uploading: who, from when to when (Unix ms), and until when a media_id must be good to make it needless. */
export interface Lease {
  readonly owner: string;
  readonly now: number;
  readonly until: number;
  readonly goodAfter: number;
}

/** Takes the turn at uploading; false when somebody else has it, or has done it. */
export async function leaseUpload(db: Database, key: MediaKey, lease: Lease): Promise<boolean> {
  await db
    .insertInto('media_ids')
    .values({ ...key, media_id: null, expires_at: 0, lease_owner: null, lease_until: 0 })
    .onDuplicateKeyUpdate((eb) => ({ lease_until: eb.ref('lease_until') }))
    .execute();
  const { numUpdatedRows } = await db
    .updateTable('media_ids')
    .set({ lease_owner: lease.owner, lease_until: lease.until })
    .where((eb) => eb.and({ ...key }))
    .where('lease_until', '<', lease.now)
    .where('expires_at', '<=', lease.goodAfter)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Notes what came of the upload, null for nothing, and gives the turn back. */
export async function endLease(
  db: Database,
  key: MediaKey,
  owner: string,
  uploaded: UploadedMedia | null,
): Promise<void> {
  const made = uploaded === null ? {} : { media_id: uploaded.mediaId, expires_at: uploaded.expiresAt };
  await db
    .updateTable('media_ids')
    .set({ ...made, lease_owner: null, lease_until: 0 })
    .where((eb) => eb.and({ ...key }))
    .where('lease_owner', '=', owner)
    .execute();
}

/** Makes a media_id one that has expired. */
export async function forgetMediaId(db: Database, mediaId: string): Promise<void> {
  await db.updateTable('media_ids').set({ expires_at: 0 }).where('media_id', '=', mediaId).execute();
}
