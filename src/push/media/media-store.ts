import { transact } from '../../server/database.ts';
import { isDuplicate } from '../../server/mysql-errors.ts';
import type { Database } from '../database/database.ts';
import type { Picture } from './media-type.ts';

/** As long as a packet may surely be, twice over: a Buffer is written in hex. */
const CHUNK_BYTES = 256 * 1024;

/** Says that a content is needed at `until` (Unix ms), and what it is; null when it is not kept. */
export async function touchMedia(db: Database, sha256: string, until: number) {
  await db
    .updateTable('media')
    .set({ last_used: until })
    .where('sha256', '=', sha256)
    .where('last_used', '<', until)
    .execute();
  const kept = await db
    .selectFrom('media')
    .select(['picture', 'size'])
    .where('sha256', '=', sha256)
    .executeTakeFirst();
  return kept ?? null;
}

/** Keeps a content that is not kept yet; somebody else doing so at the same time is as good. */
export async function insertMedia(
  db: Database,
  media: { sha256: string; bytes: Uint8Array; picture: Picture | null; now: number },
): Promise<void> {
  const { sha256, bytes, picture, now } = media;
  try {
    await transact(db, async (tx) => {
      await tx
        .insertInto('media')
        .values({ sha256, picture, size: bytes.length, created_at: now, last_used: now })
        .execute();
      for (let part = 0; part * CHUNK_BYTES < bytes.length; part += 1) {
        const chunk = Buffer.from(bytes.subarray(part * CHUNK_BYTES, (part + 1) * CHUNK_BYTES));
        await tx.insertInto('media_chunks').values({ sha256, part, bytes: chunk }).execute();
      }
    });
  } catch (error) {
    if (!isDuplicate(error)) throw error;
  }
}

/** Notes that an app has handed this content in. */
export async function insertOwner(db: Database, sha256: string, app: string): Promise<void> {
  await db.insertInto('media_owners').ignore().values({ sha256, app }).execute();
}

/** Whether an app has handed this content in since it is kept. */
export async function isOwner(db: Database, sha256: string, app: string): Promise<boolean> {
  const row = db.selectFrom('media_owners').select('app').where('sha256', '=', sha256).where('app', '=', app);
  return (await row.executeTakeFirst()) !== undefined;
}

/** The bytes of a content; null when it is not kept. */
export async function readMedia(db: Database, sha256: string): Promise<Buffer | null> {
  const chunks = await db
    .selectFrom('media_chunks')
    .select('bytes')
    .where('sha256', '=', sha256)
    .orderBy('part')
    .execute();
  return chunks.length === 0 ? null : Buffer.concat(chunks.map(({ bytes }) => bytes));
}
