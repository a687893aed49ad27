import { type Database, openDatabase } from '../../src/push/database/database.ts';
import { migrate } from '../../src/push/database/migrations.ts';
import { createDatabase } from './database.ts';

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
