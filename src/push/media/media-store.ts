import { sql } from 'kysely';
import { transact } from '../../server/database.ts';
import { isDuplicate } from '../../server/mysql-errors.ts';
import type { Picture } from '../../wecom/api/media-form.ts';
import type { Database } from '../database/database.ts';

/** As long as a packet may surely be, twice over: a Buffer is written in hex. */
const CHUNK_BYTES = 256 * 1024;
/** So many contents are removed in one go. */
const REMOVED_AT_ONCE = 100;

/** Says that a content is needed at `until` (Unix ms), and what it is; null when it is not kept. */
export async function touchMedia(db: Database, sha256: string, until: number) {
  const touch = db.updateTable('media').set({ last_used: until }).where('sha256', '=', sha256);
  await touch.where('last_used', '<', until).execute();
  const kept = db.selectFrom('media').select(['picture', 'size']).where('sha256', '=', sha256);
  return (await kept.executeTakeFirst()) ?? null;
}

/** Keeps a content that is not kept yet; somebody else doing so at the same time is as good. */
export async function insertMedia(
  db: Database,
  media: { sha256: string; bytes: Uint8Array; picture: Picture | null; now: number },
): Promise<void> {
  const { sha256, bytes, picture, now } = media;
  try {
    await transact(db, async (tx) => {
      const row = { sha256, picture, size: bytes.length, created_at: now, last_used: now };
      await tx.insertInto('media').values(row).execute();
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
  const kept = db.selectFrom('media_chunks').select('bytes').where('sha256', '=', sha256);
  const chunks = await kept.orderBy('part').execute();
  return chunks.length === 0 ? null : Buffer.concat(chunks.map(({ bytes }) => bytes));
}

/** Removes contents that nobody has needed since `before` (Unix ms) and no open delivery needs. */
export async function pruneMedia(db: Database, before: number): Promise<void> {
  const { rows: old } = await sql<{ sha256: string }>`select sha256 from media
    where last_used < ${before} order by last_used limit ${sql.lit(REMOVED_AT_ONCE)}`.execute(db);
  if (old.length === 0) return;
  // Only open deliveries stand in a line, so that this reads along an index; until its time `last_used` keeps the rest.
  const { rows: needed } = await sql<{ content: string }>`select distinct m.content
    from deliveries d join messages m on m.id = d.message_id
    where d.line is not null and m.kind in ('image', 'file')`.execute(db);
  for (const { sha256 } of old) {
    if (needed.some(({ content }) => content.includes(sha256))) continue;
    await transact(db, async (tx) => {
      const media = tx.deleteFrom('media').where('sha256', '=', sha256);
      // Whoever said meanwhile that it is needed wins.
      const { numDeletedRows } = await media.where('last_used', '<', before).executeTakeFirst();
      if (numDeletedRows === 0n) return;
      for (const rest of ['media_chunks', 'media_owners'] as const) {
        await tx.deleteFrom(rest).where('sha256', '=', sha256).execute();
      }
    });
  }
}
