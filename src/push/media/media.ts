import { hash } from 'node:crypto';
import { InputError } from '../../errors.ts';
import { pictureOf } from '../../wecom/api/media-form.ts';
import type { Messenger } from '../../wecom/api/messenger.ts';
import type { StoredMedia } from '../content/content.ts';
import { DEFAULT_ACCOUNT } from '../content/message.ts';
import { insertMedia, insertOwner, isOwner, pruneMedia, readMedia, touchMedia } from './media-store.ts';
import { checkMedia, MAX_BYTES, readFileName } from './media-type.ts';
import { createUploads, type MediaKey, type UploadParts } from './uploads.ts';

/** Pictures and files by their content; WeCom's media_ids are made when they are needed and reused for three days (§4.6). */
export type Media = ReturnType<typeof createMedia>;

interface MediaParts extends UploadParts {
  /** Throws when there is no such account any more. Any of them can upload for a robot. */
  readonly messengerOf: (account: string) => Pick<Messenger, 'upload' | 'uploadForRobot'>;
  /** Name → key of each robot. */
  readonly robots: Readonly<Record<string, string>>;
}

type MediaKind = 'image' | 'file';

const KEPT_MS = 4 * 86_400_000;

/** Opens the media. */
export function createMedia(parts: MediaParts) {
  const { db, now, messengerOf, robots } = parts;
  const upload = createUploads(parts);

  /** Throws an InputError when the content is not kept any more. */
  async function bytes(sha256: string): Promise<Buffer> {
    const kept = await readMedia(db, sha256);
    if (kept === null) throw gone(sha256);
    // What is to be uploaded now is in use.
    await touchMedia(db, sha256, now());
    return kept;
  }

  return {
    /**
     * The media of an app. Bytes are kept once, however many apps hand them in, but each app sends only what it has handed
     * in itself: to know the hash of another one's file is not enough.
     */
    of: (app: string) => ({
      /** Keeps the bytes. Throws an InputError for a type or size that WeCom does not take. */
      async save(kind: MediaKind, name: string, content: Uint8Array): Promise<StoredMedia> {
        checkMedia(kind, content);
        const picture = pictureOf(content);
        const stored = { sha256: hash('sha256', content), name: kind === 'file' ? readFileName(name) : '' };
        const at = now();
        if ((await touchMedia(db, stored.sha256, at)) === null) {
          await insertMedia(db, { sha256: stored.sha256, bytes: content, picture, now: at });
        }
        await insertOwner(db, stored.sha256, app);
        return kind === 'file' ? stored : { ...stored, name: `image.${picture}` };
      },
      /**
       * Says that content which was saved before is to be sent, at `sendAt` (Unix ms) or now, so that it is still kept
       * then. Throws an InputError when it is not kept any more or was never this app's, in the same words, or is nothing of
       * that kind.
       */
      async use(kind: MediaKind, { sha256, name }: StoredMedia, sendAt = 0): Promise<StoredMedia> {
        if (!(await isOwner(db, sha256, app))) throw gone(sha256);
        const kept = await touchMedia(db, sha256, Math.max(now(), sendAt));
        if (kept === null) throw gone(sha256);
        if (kind === 'file') return { sha256, name: readFileName(name) };
        if (kept.picture === null || kept.size > MAX_BYTES.image) {
          throw new InputError(`image: ${sha256} is no JPG or PNG of at most 10 MB; send it as a file`);
        }
        return { sha256, name: `image.${kept.picture}` };
      },
    }),
    /** A media_id that is good for at least ten minutes; one upload for each content and account, however many replicas need it. */
    mediaId: (kind: MediaKind, media: StoredMedia, account: string): Promise<string> =>
      upload(keyOf(kind, media, ownerOf(account)), async () =>
        messengerOf(account).upload(kind, media.name, await bytes(media.sha256)),
      ),
    /** As `mediaId`, for a file through a robot, whose uploads are its own (§5). */
    async mediaIdForRobot(robot: string, media: StoredMedia): Promise<string> {
      const key = Object.hasOwn(robots, robot) ? robots[robot] : undefined;
      if (key === undefined) throw new InputError(`there is no robot "${robot}"; PUSH_ROBOTS names all`);
      return upload(keyOf('file', media, `robot:${robot}`), async () =>
        messengerOf(DEFAULT_ACCOUNT).uploadForRobot(key, media.name, await bytes(media.sha256)),
      );
    },
    /** Forgets a media_id that WeCom does not know any more (40007). */
    async forget(mediaId: string): Promise<void> {
      await db.updateTable('media_ids').set({ expires_at: 0 }).where('media_id', '=', mediaId).execute();
    },
    bytes,
    /** Removes what nobody has used for 4 days and no open delivery needs; to be called every hour or so. */
    async prune(): Promise<void> {
      const before = now() - KEPT_MS;
      const expired = db.deleteFrom('media_ids').where('expires_at', '<', before);
      await expired.where('lease_until', '<', before).limit(10_000).execute();
      await pruneMedia(db, before);
    },
  };
}

/** A media_id belongs to one enterprise (§4.6), and accounts may be of several: each uploads its own. */
function ownerOf(account: string): string {
  return account === DEFAULT_ACCOUNT ? 'app' : `app:${account}`;
}

/** Receivers see the name of a file, not of a picture (§4.6). */
function keyOf(kind: MediaKind, { sha256, name }: StoredMedia, owner: string): MediaKey {
  return { sha256, kind, name: kind === 'file' ? name : '', owner };
}

function gone(sha256: string): InputError {
  return new InputError(`media: ${sha256} is not kept; upload it again`);
}
