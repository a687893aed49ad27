import { type Database, openDatabase } from '../../src/push/database/database.ts';
import { migrate } from '../../src/push/database/migrations.ts';
import { createDatabase } from './database.ts';

/** How many messages have deliveries that are not final yet. */
export async function countOpen(db: Database): Promise<number> {
  const { count } = await db
    .selectFrom('messages')
    .select((is) => is.fn.countAll<number>().as('count'))
    .where('open', '>', 0)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** A fresh database of message delivery with all its tables; `drop` also closes it. */
export async function openPushDatabase(): Promise<{ db: Database; url: string; drop(): Promise<void> }> {
  const { url, drop } = await createDatabase();
  const db = openDatabase(url);
  await migrate(db);
  return {
    db,
    url,
    async drop() {
      await db.destroy();
      await drop();
    },
  };
}
