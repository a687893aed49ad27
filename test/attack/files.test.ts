import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { grantable } from '#test/operations.ts';
import { attacks } from '#test/size.ts';
import { createMenus } from '../../src/chat/index.ts';
import { loadAccounts } from '../../src/config/accounts.ts';
import { botAccountSettings } from '../../src/config/bot-settings.ts';
import { ConfigError } from '../../src/errors.ts';
import { loadPolicy } from '../../src/ops/policy/file.ts';
import { createSandbox } from '../../src/sandbox/sandbox.ts';
import { createChance } from './chance.ts';

const directory = mkdtempSync(join(tmpdir(), 'keypad-attack-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const YAML = [
  '*',
  '&a ',
  '!',
  '!!js ',
  '? ',
  '- ',
  '\n',
  '\t',
  ': ',
  '{',
  '[',
  '"',
  "'",
  '|',
  '<<: *a',
  '---\n',
  '%YAML 1.1\n',
  '\0',
  '__proto__: ',
  '1e999',
  '~',
  '[[[[[[',
  '\u202e',
  '&x [*x]',
];
const CODE = [
  '(',
  ')',
  '{',
  '}',
  "'",
  '`',
  'null',
  'import ',
  'export ',
  'await ',
  'throw new Error();',
  'title: 7,',
  '/*',
  '\0',
  '\n',
  '=>',
  'undefined.x;',
];

test('a policy with a slip of the pen never ends the process, and what is refused leaves the old one', () => {
  const chance = createChance('policy');
  const path = join(directory, 'policy.yaml');
  const good = readFileSync('deploy/policy.yaml', 'utf8');
  writeFileSync(path, good);
  const heard: (boolean | readonly string[])[] = [];
  const contextProblem = (name: string) => (name === 'demo' ? undefined : 'is not there');
  const known = { contextProblem, instances: ['shop-db', 'pay-db'], operations: grantable };
  const policy = loadPolicy(path, () => known, {
    accepted: () => heard.push(true),
    refused: (problems) => heard.push(problems),
  });
  /** All that it says of the demo's users and units; the operations may be others by now, and so it is another object. */
  const says = () => {
    const { rights, unit, contexts, admins } = policy.current();
    const users = ['zhangsan', 'lisi', 'wangwu'].map((user) => rights({ user, departments: [] }));
    return [policy.generation(), contexts, admins, users, ['电商', '支付'].map(unit)];
  };
  expect(says()[3]).not.toContainEqual([]);
  let refused = 0;
  for (let tried = attacks(250, 6000); tried > 0; tried -= 1) {
    const before = says();
    const text = chance.mutate(good, YAML);
    writeFileSync(path, text);
    policy.reload();
    const said = heard.splice(0);
    expect(said.length, `SEED=${chance.seed}: ${text}`).toBe(1);
    if (said[0] === true) continue;
    refused += 1;
    expect(says()).toEqual(before);
    expect((said[0] as readonly string[]).join(), text).toMatch(/^(OPS_POLICY_FILE|policy)\b(?!: \w*Error)/);
  }
  expect(refused).toBeGreaterThan(100);
  policy.close();
});

test('a file of accounts with a slip of the pen is refused with what is wrong, or costs one account', () => {
  const chance = createChance('accounts');
  const path = join(directory, 'accounts.yaml');
  for (const name of ['token', 'aes'])
    writeFileSync(join(directory, name), 'A'.repeat(43).slice(name === 'aes' ? 0 : 33));
  const entry = (name: string, corp: number) =>
    `  ${name}:\n    corpId: ww${corp}111111111111111\n    agentId: 100000${corp}\n    tokenFile: token\n    encodingAesKeyFile: aes\n    allowedSources: [wecom, 10.2.0.0/16]\n`;
  const good = `accounts:\n${[1, 2, 3].map((corp) => entry(`shop-${corp}`, corp)).join('')}`;
  const load = (text: string) => {
    writeFileSync(path, text);
    return loadAccounts(botAccountSettings, { accountsFile: path, menusDir: './menus' });
  };
  expect([...load(good).accounts.keys()]).toHaveLength(3);
  let refused = 0;
  for (let tried = attacks(250, 3000); tried > 0; tried -= 1) {
    const text = chance.mutate(good, YAML);
    try {
      refused += load(text).problems.size > 0 ? 1 : 0;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw new Error(`SEED=${chance.seed}: ${text}`, { cause: error });
      expect(error.problems.join()).toMatch(/^ACCOUNTS_FILE/);
      refused += 1;
    }
  }
  expect(refused).toBeGreaterThan(100);
});

test('a menu with a slip of the pen never ends the process, and what is refused leaves the old one', async () => {
  const chance = createChance('menus');
  const menu = mkdtempSync(join(directory, 'menus-'));
  const write = (name: string, text: string) => writeFileSync(join(menu, name), text);
  const good = `import { action } from '#menu';\nexport default action({ title: 'a', run: () => 'ok' });\n`;
  write('index.ts', `import { folder } from '#menu';\nexport default folder({ title: 'x' });\n`);
  write('1-a.ts', good);
  const heard: string[] = [];
  const stopped = () => heard.push('a function was stopped');
  const sandbox = createSandbox({ onStopped: stopped, now: Date.now, limits: { loadMs: 5000 } });
  const menus = await createMenus({
    directory: menu,
    loadFiles: sandbox.loadFiles,
    operations: () => undefined,
    onLoaded: () => heard.push(''),
    onProblems: (problems) => heard.push(problems.join()),
  });
  heard.length = 0;
  let refused = 0;
  for (let tried = attacks(20, 500); tried > 0; tried -= 1) {
    const before = menus.at(undefined);
    const text = chance.mutate(good, CODE);
    write('1-a.ts', text);
    await menus.reload();
    const [said, more] = heard.splice(0);
    expect(more, `SEED=${chance.seed}: ${text}`).toBeUndefined();
    if (said === '') continue;
    refused += 1;
    expect(menus.at(undefined)).toBe(before);
    expect(said, text).toContain('1-a.ts');
  }
  expect(refused).toBeGreaterThan(5);
  write('1-a.ts', good);
  await menus.reload();
  expect(heard).toEqual(['']);
  sandbox.close();
});
