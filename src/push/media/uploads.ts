import type { UploadedMedia } from '../../wecom/api/media-form.ts';
import { WeComError } from '../../wecom/api/wecom-error.ts';
import type { Database } from '../database/database.ts';
import { endLease, leaseUpload, type MediaKey, readMediaId } from './media-id-store.ts';

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
/** Longer than an upload may take (wecom/messenger.ts). */
const LEASE_MS = 90_000;
const POLL_MS = 100;
const POLLS = 150;

/** Resolves to a media_id, made with `upload` where none is good any more; one upload at a time for each key. */
export type Uploads = (key: MediaKey, upload: () => Promise<UploadedMedia>) => Promise<string>;

/** Lets one of all replicas upload a content while the others wait for what comes of it, 15 s at most. */
export function createUploads({ db, now, sleep, newId }: UploadParts): Uploads {
  const begun = new Map<string, Promise<string>>();

  async function inTurn(key: MediaKey, upload: () => Promise<UploadedMedia>): Promise<string> {
    for (let polls = 0; polls < POLLS; polls += 1) {
      const at = now();
      const goodAfter = at + GOOD_FOR_MS;
      const known = await readMediaId(db, key, goodAfter);
      if (known !== null) return known;
      const owner = newId();
      const lease = { owner, now: at, until: at + LEASE_MS, goodAfter };
      if (await leaseUpload(db, key, lease)) return uploadLeased(key, owner, upload);
      await sleep(POLL_MS);
    }
    throw new WeComError('media/upload', 'unsent', 'another replica is still uploading the same content');
  }

  async function uploadLeased(
    key: MediaKey,
    owner: string,
    upload: () => Promise<UploadedMedia>,
  ): Promise<string> {
    let uploaded: UploadedMedia | null = null;
    try {
      uploaded = await upload();
      return uploaded.mediaId;
    } finally {
      // When this fails the lease ends by itself; what was uploaded is good all the same.
      await endLease(db, key, owner, uploaded).catch(() => {});
    }
  }

  return (key, upload) => {
    const name = JSON.stringify([key.sha256, key.kind, key.name, key.owner]);
    const running = begun.get(name);
    if (running !== undefined) return running;
    const run = inTurn(key, upload).finally(() => begun.delete(name));
    begun.set(name, run);
    return run;
  };
}
