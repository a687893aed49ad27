import { pushSettings, readSettings } from '../../config.ts';
import { openDatabase } from '../database/database.ts';
import { migrate } from '../database/migrations.ts';
import { runCommand } from './command.ts';
import { createKeys } from './keys.ts';

/** Administration of app keys: `npm run app-key -- create ci --scope text`. */
async function main(): Promise<void> {
  const { mysqlUrl, masterKey } = pushSettings;
  const settings = readSettings({ mysqlUrl, masterKey }, process.env);
  const db = openDatabase(settings.mysqlUrl.reveal());
  try {
    await migrate(db);
    const keys = createKeys({ db, masterKey: settings.masterKey.reveal(), now: Date.now });
    process.stdout.write(`${await runCommand(keys, process.argv.slice(2))}\n`);
  } finally {
    await db.destroy();
  }
}

if (import.meta.main) {
  await main().catch((error: Error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  });
}
