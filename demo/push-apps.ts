import { createKeys } from '../src/push/apps/keys.ts';
import { openDatabase } from '../src/push/database/database.ts';
import { migrate } from '../src/push/database/migrations.ts';

/** An app of message delivery, as whoever calls its API needs it. */
export interface PushApp {
  readonly app: string;
  readonly key: string;
}

/** The apps of a demo: of the bot and the ops platform, with no more than they need, and one for outside clients that may do everything. */
export interface PushApps {
  readonly bot: PushApp;
  readonly ops: PushApp;
  readonly client: PushApp;
}

const APPS = {
  bot: { app: 'keypad-bot', scopes: ['text', 'to:users', 'directory', 'account:*'] },
  ops: { app: 'keypad-ops', scopes: ['text', 'to:users', 'account:*'] },
  client: {
    app: 'demo',
    scopes: [
      ...['text', 'markdown', 'textcard', 'image', 'file', 'news', 'templateCard', 'template'],
      ...['templates', 'campaigns', 'directory', 'account:*'],
      ...['to:users', 'to:all', 'to:departments', 'to:tags', 'to:chats', 'to:robots'],
    ],
    callbackHosts: ['127.0.0.1', 'localhost'],
  },
} as const;

/** So high that nobody who tries the demo out runs into the limit. */
const PER_MINUTE = 100_000;

/** Makes the apps in that database if they are not there; the keys follow from the master key, and so stay the same. */
export async function openPushApps(databaseUrl: string, masterKey: string): Promise<PushApps> {
  const db = openDatabase(databaseUrl);
  try {
    await migrate(db);
    const keys = createKeys({ db, masterKey, now: Date.now });
    const open = async (parts: (typeof APPS)[keyof typeof APPS]): Promise<PushApp> => {
      const { app } = parts;
      const key = await keys.newestKey(app);
      if (key !== undefined) return { app, key };
      return { app, key: (await keys.create({ ...parts, perMinute: PER_MINUTE })).key };
    };
    return { bot: await open(APPS.bot), ops: await open(APPS.ops), client: await open(APPS.client) };
  } finally {
    await db.destroy();
  }
}
