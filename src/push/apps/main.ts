import { parseArgs } from 'node:util';
import { pushSettings, readSettings } from '../../config.ts';
import { InputError } from '../../errors.ts';
import { openDatabase } from '../database/database.ts';
import { migrate } from '../database/migrations.ts';
import { type AppChanges, createKeys, type Keys } from './keys.ts';

/** Administration of app keys: `npm run app-key -- create ci --scope text`. */
const usage = `npm run app-key -- <what>
  create <app> --scope text [--scope to:users …] [--per-minute 600] [--callback-host hooks.internal …]
  list
  rotate <app>            a second key; the first stays valid, a third is retired
  retire <app> <keyId>
  enable <app> | disable <app>
  scope <app> text to:users …
  callback-host <app> hooks.internal …
  per-minute <app> 600`;

/** How many words each command takes after the app; a word too many is a mistake, such as a second scope without its --scope. */
const wordsAfterApp: Readonly<Record<string, number>> = {
  retire: 1,
  'per-minute': 1,
  scope: Number.POSITIVE_INFINITY,
  'callback-host': Number.POSITIVE_INFINITY,
};

/** What each command changes of the app, by the words after it. */
const changes: Readonly<Record<string, (words: readonly string[]) => AppChanges>> = {
  enable: () => ({ enabled: true }),
  disable: () => ({ enabled: false }),
  scope: (scopes) => ({ scopes }),
  'callback-host': (callbackHosts) => ({ callbackHosts }),
  'per-minute': ([limit]) => ({ perMinute: Number(limit) }),
};

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        scope: { type: 'string', multiple: true },
        'per-minute': { type: 'string' },
        'callback-host': { type: 'string', multiple: true },
      },
    });
  } catch (error) {
    throw new InputError(`${(error as Error).message}\n${usage}`);
  }
}

/** Does what the words of the command line say; resolves to what is printed. Throws an InputError in plain words. */
export async function runCommand(keys: Keys, args: readonly string[]): Promise<string> {
  const { values: options, positionals } = readArguments(args);
  const [what = '', app = '', ...rest] = positionals;
  const [extra] = rest.slice(wordsAfterApp[what] ?? 0);
  if (extra !== undefined) throw new InputError(`${what} does not take "${extra}".\n${usage}`);
  const [option] = Object.keys(options);
  if (what !== 'create' && option !== undefined) {
    throw new InputError(`${what} does not take --${option}.\n${usage}`);
  }
  const change = Object.hasOwn(changes, what) ? changes[what] : undefined;
  if (change !== undefined) {
    await keys.change(app, change(rest));
    return `${app} is changed; every replica knows within 2 s.`;
  }
  switch (what) {
    case 'create': {
      const { scope: scopes = [], 'per-minute': limit, 'callback-host': callbackHosts = [] } = options;
      const perMinute = limit === undefined ? {} : { perMinute: Number(limit) };
      return shown(await keys.create({ app, scopes, callbackHosts, ...perMinute }));
    }
    case 'list':
      return listed(keys);
    case 'rotate':
      return shown(await keys.rotate(app));
    case 'retire':
      await keys.retire(app, rest[0] ?? '');
      return `The key ${rest[0]} of ${app} is retired; within 2 s it works nowhere.`;
    default:
      throw new InputError(usage);
  }
}

function shown({ app, keyId, key, retired }: Awaited<ReturnType<Keys['create']>>): string {
  return [
    `App ${app}, key ${keyId}. The key is shown this once:`,
    '',
    `  PUSH_APP_ID=${app}`,
    `  PUSH_APP_KEY=${key}`,
    '',
    'Sign requests with it as docs/push.md describes.',
    ...retired.map((old) => `The key ${old} is retired; within 2 s it works nowhere.`),
  ].join('\n');
}

async function listed(keys: Keys): Promise<string> {
  const apps = await keys.list();
  if (apps.length === 0)
    return 'There are no apps; make one with: npm run app-key -- create <app> --scope text';
  return apps
    .flatMap((row) => [
      `${row.app}${row.enabled ? '' : ' (disabled)'}: ${row.perMinute}/min, ${row.scopes.join(' ')}`,
      ...row.callbackHosts.map((host) => `  callbacks to ${host}`),
      ...row.keys.map((key) => `  key ${key.keyId}, made ${new Date(key.createdAt).toISOString()}`),
    ])
    .join('\n');
}

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
