import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPushDatabase } from '#test/push-database.ts';
import { createKeys, type Keys } from '../../../src/push/apps/keys.ts';
import { runCommand } from '../../../src/push/apps/main.ts';

const masterKey = 'a master key of the tests, 32 characters long';
let url: string;
let keys: Keys;
let drop: () => Promise<void>;
beforeAll(async () => {
  const database = await openPushDatabase();
  ({ url, drop } = database);
  keys = createKeys({ db: database.db, masterKey, now: Date.now });
});
afterAll(() => drop());

const appKey = (...words: string[]): Promise<string> => runCommand(keys, words);
const keyIn = (text: string): string => /PUSH_APP_KEY=(\S{43})\n/.exec(text)?.[1] ?? '';
const keyIdIn = (text: string): string => /key ([0-9a-f]{8})/.exec(text)?.[1] ?? '';

test('an app is made, listed, rotated, changed and retired on the command line; a key is shown once', async () => {
  expect(await appKey('list')).toContain('There are no apps');
  const options = ['--scope', 'text', '--scope', 'to:users', '--callback-host', 'hooks.internal'];
  const made = await appKey('create', 'ci', ...options);
  expect(keyIn(made)).toHaveLength(43);
  expect(made).toContain('PUSH_APP_ID=ci');
  const second = await appKey('rotate', 'ci');
  expect(keyIn(second)).not.toBe(keyIn(made));
  await appKey('disable', 'ci');
  await appKey('scope', 'ci', 'markdown', 'to:all');
  await appKey('per-minute', 'ci', '60');
  const listed = await appKey('list');
  expect(listed).toContain('ci (disabled): 60/min, markdown to:all\n  callbacks to hooks.internal');
  expect(listed).toContain(keyIdIn(made));
  expect(listed).not.toContain(keyIn(made));
  await appKey('enable', 'ci');
  await appKey('callback-host', 'ci');
  await appKey('retire', 'ci', keyIdIn(made));
  expect(await appKey('list')).not.toMatch(new RegExp(`disabled|callbacks|${keyIdIn(made)}`));
});

test('what is wrong is said in plain words', async () => {
  await expect(appKey('create', 'x', '--scope', 'everything')).rejects.toThrow('"everything" is no scope');
  await expect(appKey('create', 'x', '--scope', 'text', '--per-minute', 'a lot')).rejects.toThrow(
    'limit a minute',
  );
  await expect(appKey('retire', 'x', 'abc')).rejects.toThrow('The app "x" has no valid key "abc"');
  await expect(appKey('create', 'x', '--scop', 'text')).rejects.toThrow('npm run app-key');
  await expect(appKey()).rejects.toThrow('npm run app-key');
});

test('a word or an option too many is refused, and nothing is done', async () => {
  await keys.create({ app: 'kept', scopes: ['text'] });
  const before = await keys.list();
  for (const [words, problem] of [
    ['create more --scope text markdown', 'create does not take "markdown"'],
    ['rotate kept other', 'rotate does not take "other"'],
    ['disable kept --scope text', 'disable does not take --scope'],
    ['scope kept --scope markdown text', 'scope does not take --scope'],
    ['per-minute kept 60 70', 'per-minute does not take "70"'],
    ['list kept all', 'list does not take "all"'],
  ] as const) {
    await expect(appKey(...words.split(' '))).rejects.toThrow(problem);
  }
  expect(await keys.list()).toEqual(before);
});

test('npm run app-key reads the settings of the role, and says what is missing', async () => {
  const run = promisify(execFile);
  const script = ['src/push/apps/main.ts', 'create', 'shell', '--scope', 'text'];
  const { PATH } = process.env;
  const { stdout } = await run(process.execPath, script, {
    env: { PATH, PUSH_MYSQL_URL: url, PUSH_MASTER_KEY: masterKey },
  });
  const { key } = /PUSH_APP_KEY=(?<key>\S+)/.exec(stdout)?.groups ?? {};
  const [app] = (await keys.list()).filter((each) => each.app === 'shell');
  expect(stdout).toContain(`key ${app?.keys[0]?.keyId}`);
  expect(await keys.newestKey('shell')).toBe(key);
  const failed = await run(process.execPath, script, { env: { PATH } }).catch(
    (error: { stderr: string }) => error,
  );
  expect(failed.stderr).toMatch(/^PUSH_MYSQL_URL is not set[\s\S]*PUSH_MASTER_KEY is not set/);
});
