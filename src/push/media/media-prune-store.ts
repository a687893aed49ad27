import { transact } from '../../server/database.ts';
import type { Database } from '../database/database.ts';

/** At most so many contents in one go. */
const BATCH = 100;

/** Removes contents that nobody has needed since `before` (Unix ms) and no open delivery needs. */
export async function pruneMedia(db: Database, before: number): Promise<void> {
  const old = await db
    .selectFrom('media')
    .select('sha256')
    .where('last_used', '<', before)
    .orderBy('last_used')
    .limit(BATCH)
    .execute();
  if (old.length === 0) return;
  // Only open deliveries stand in a line, so that this reads along an index; until its time `last_used` keeps the rest.
  const needed = await db
    .selectFrom('deliveries')
    .innerJoin('messages', 'messages.id', 'deliveries.message_id')
    .select('messages.content')
    .distinct()
    .where('deliveries.line', 'is not', null)
    .where('messages.kind', 'in', ['image', 'file'])
    .execute();
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
