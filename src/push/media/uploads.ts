import type { UploadedMedia } from '../../wecom/api/media-form.ts';
import { WeComError } from '../../wecom/api/wecom-error.ts';
import type { Database } from '../database/database.ts';
import type { MediaTables } from '../database/media-tables.ts';

/** One content, under one name, for one account or one robot. */
export type MediaKey = Pick<MediaTables['media_ids'], 'sha256' | 'kind' | 'name' | 'owner'>;

type Upload = () => Promise<UploadedMedia>;

/** What uploading in turns needs. */
export interface UploadParts {
  readonly db: Database;
  /** Unix ms. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
  readonly newId: () => string;
}

/** A media_id must still be good for this long when it is handed out. */
const GOOD_FOR_MS = 600_000;
/** Longer than an upload may take (wecom/api/messenger.ts). */
const LEASE_MS = 90_000;
const POLL_MS = 100;
const POLLS = 150;

/**
 * Lets one of all replicas upload a content while the others wait for what comes of it, 15 s at most. What comes back
 * resolves to a media_id, made with `upload` where none is good any more; one upload at a time for each key.
 */
export function createUploads({ db, now, sleep, newId }: UploadParts) {
  const begun = new Map<string, Promise<string>>();
  const read = (key: MediaKey) => db.selectFrom('media_ids').where((eb) => eb.and({ ...key }));
  const change = (key: MediaKey) => db.updateTable('media_ids').where((eb) => eb.and({ ...key }));

  async function inTurn(key: MediaKey, upload: Upload): Promise<string> {
    for (let polls = 0; polls < POLLS; polls += 1) {
      const at = now();
      const good = read(key).where('expires_at', '>', at + GOOD_FOR_MS);
      const known = await good.select('media_id').executeTakeFirst();
      if (known?.media_id) return known.media_id;
      const owner = newId();
      if (await lease(key, owner, at)) return uploadLeased(key, owner, upload);
      await sleep(POLL_MS);
    }
    throw new WeComError('media/upload', 'unsent', 'another replica is still uploading the same content');
  }

  /** Takes the turn at uploading; false when somebody else has it, or has done it. */
  async function lease(key: MediaKey, owner: string, at: number): Promise<boolean> {
    const row = { ...key, expires_at: 0, lease_until: 0 };
    await db.insertInto('media_ids').ignore().values(row).execute();
    const free = change(key)
      .where('lease_until', '<', at)
      .where('expires_at', '<=', at + GOOD_FOR_MS);
    const taken = await free.set({ lease_owner: owner, lease_until: at + LEASE_MS }).executeTakeFirst();
    return taken.numUpdatedRows > 0n;
  }

  async function uploadLeased(key: MediaKey, owner: string, upload: Upload): Promise<string> {
    let made = {};
    try {
      const { mediaId, expiresAt } = await upload();
      made = { media_id: mediaId, expires_at: expiresAt };
      return mediaId;
    } finally {
      // Gives the turn back. When this fails the lease ends by itself; what was uploaded is good all the same.
      const end = change(key).set({ ...made, lease_owner: null, lease_until: 0 });
      const mine = end.where('lease_owner', '=', owner);
      await mine.execute().catch(() => {});
    }
  }

  return (key: MediaKey, upload: Upload): Promise<string> => {
    const name = JSON.stringify([key.sha256, key.kind, key.name, key.owner]);
    const run = begun.get(name) ?? inTurn(key, upload).finally(() => begun.delete(name));
    begun.set(name, run);
    return run;
  };
}
