import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { type BotAccount, loadAccounts } from '../../src/config/accounts.ts';
import { botAccountSettings } from '../../src/config/bot-settings.ts';
import { pushAccountSettings } from '../../src/config/push-settings.ts';
import { createSecret, readConfig } from '../../src/config.ts';
import { ConfigError } from '../../src/errors.ts';

const directory = mkdtempSync(join(tmpdir(), 'keypad-accounts-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const path = join(directory, 'accounts.yaml');
writeFileSync(join(directory, 'token'), 'TokenSecret\n');
writeFileSync(join(directory, 'aes'), 'AesSecret'.padEnd(43, '0'));
writeFileSync(join(directory, 'secret'), 'SendSecret');

const SHOP = {
  corpId: 'ww1111111111111111',
  agentId: '1000005',
  tokenFile: 'token',
  encodingAesKeyFile: 'aes',
  secretFile: 'secret',
  allowedSources: '[wecom, 10.2.0.0/16]',
  limits: '{ accountLimit: 300 }',
};
const BANK = { ...SHOP, corpId: 'ww2222222222222222' };

type Entry = Readonly<Record<string, string | undefined>>;

function accountsFile(entries: Readonly<Record<string, Entry>>): string {
  const lines = Object.entries(entries).flatMap(([name, entry]) => [
    `  ${name}:`,
    ...Object.entries(entry).flatMap(([key, value]) => (value === undefined ? [] : [`    ${key}: ${value}`])),
  ]);
  return ['accounts:', ...lines, ''].join('\n');
}

const standard: BotAccount = {
  name: 'default',
  corpId: 'ww0123456789abcdef',
  agentId: 1_000_002,
  token: createSecret('t'),
  encodingAesKey: createSecret('k'),
  callbackSources: { wecom: false, cidrs: [] },
  menusDir: './menus',
};

function load(text: string, more: { previous?: ReadonlyMap<string, BotAccount>; alone?: true } = {}) {
  writeFileSync(path, text);
  const sources = { accountsFile: path, menusDir: './menus', ...(more.alone ? {} : { account: standard }) };
  return loadAccounts(botAccountSettings, sources, more.previous);
}

function refusal(text: string): string {
  try {
    load(text);
    return '';
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.join('\n');
    throw error;
  }
}

describe('what the file gives', () => {
  test('each role reads its own part of an account: the bot no secret, message delivery no key', () => {
    const { accounts, problems } = load(accountsFile({ shop: { ...SHOP, secretFile: 'nowhere' } }));
    const shop = accounts.get('shop');
    expect(problems.size).toBe(0);
    expect(shop).toMatchObject({
      name: 'shop',
      corpId: SHOP.corpId,
      agentId: 1_000_005,
      callbackSources: { wecom: true, cidrs: ['10.2.0.0/16'] },
      menusDir: './menus',
    });
    expect(shop?.token.reveal()).toBe('TokenSecret');
    expect(Object.keys(shop ?? {})).not.toContain('secret');

    writeFileSync(
      path,
      accountsFile({ shop: { ...SHOP, tokenFile: 'nowhere', encodingAesKeyFile: undefined } }),
    );
    const sending = loadAccounts(pushAccountSettings, { accountsFile: path });
    expect(sending.problems.size).toBe(0);
    expect(sending.accounts.get('shop')).toMatchObject({ accountLimit: 300, agentId: 1_000_005 });
    expect(sending.accounts.get('shop')?.secret.reveal()).toBe('SendSecret');
    expect(Object.keys(sending.accounts.get('shop') ?? {})).not.toContain('token');
  });

  test('relative paths begin at the folder of the file', () => {
    const { accounts } = load(accountsFile({ shop: { ...SHOP, menus: './shop-menus' } }));
    expect(accounts.get('shop')?.menusDir).toBe(join(directory, 'shop-menus'));
  });

  test('without a file there is the app of the variables alone', () => {
    const { accounts } = loadAccounts(botAccountSettings, { accountsFile: undefined, account: standard });
    expect([...accounts.keys()]).toEqual(['default']);
  });

  test('no secret is printed with an account', () => {
    const { accounts } = load(accountsFile({ shop: SHOP }));
    const printed = inspect(accounts.get('shop'), { depth: 9, showHidden: true });
    expect(`${printed}${JSON.stringify([...accounts])}`).not.toMatch(/Secret\b|AesSecret/);
  });
});

describe('a bad account is named and costs only itself', () => {
  test.each<[string, Entry, string]>([
    ['no corp id', { corpId: undefined }, 'corpId is not set'],
    ['a corp id with a space', { corpId: 'ww 1' }, 'corpId must be a corp id'],
    ['an agent id in another notation', { agentId: '1e6' }, 'agentId must be a whole number'],
    ['an agent id that is a list', { agentId: '[1]' }, 'agentId must be one plain value'],
    ['no sources', { allowedSources: undefined }, 'allowedSources is not set'],
    ['empty sources', { allowedSources: '[]' }, 'allowedSources is not set'],
    ['the whole internet', { allowedSources: '[0.0.0.0/0]' }, 'lets in (nearly) the whole internet'],
    ['a file that is not there', { tokenFile: 'none' }, 'tokenFile names '],
    ['a key of the wrong form', { encodingAesKeyFile: 'token' }, 'what encodingAesKeyFile names must be 43'],
    ['a secret in the file itself', { token: 'x' }, '"token" is none of corpId, '],
    ['an unknown limit', { limits: '{ perMinute: 1 }' }, '"limits.perMinute" is none of'],
    ['limits that are no map', { limits: '5' }, 'limits must be a map'],
  ])('%s', (_what, change, sentence) => {
    const { accounts, problems } = load(accountsFile({ shop: { ...SHOP, ...change }, bank: BANK }));
    expect([...accounts.keys()]).toEqual(['default', 'bank']);
    expect([...problems.keys()]).toEqual(['shop']);
    expect(problems.get('shop')).toMatch(/^ACCOUNTS_FILE: account "shop": /);
    expect(problems.get('shop')).toContain(sentence);
    expect(problems.get('shop')).not.toMatch(/Secret/);
  });

  test.each(['default', 'Shop', '-shop', 'a/b', `s${'x'.repeat(32)}`, '__proto__'])('the name %s', (name) => {
    const { accounts, problems } = load(accountsFile({ [`"${name}"`]: SHOP, bank: BANK }));
    expect([...accounts.keys()]).toEqual(['default', 'bank']);
    expect([...problems.keys()]).toEqual([name]);
    expect(accounts.get('default')).toBe(standard);
  });

  test('two accounts of one app: the first has it', () => {
    const { accounts, problems } = load(accountsFile({ shop: SHOP, again: SHOP }));
    expect([...accounts.keys()]).toEqual(['default', 'shop']);
    expect(problems.get('again')).toContain('is the same app as "shop"');
  });

  test('an entry that is no map', () => {
    expect(load('accounts: { shop: 5 }').problems.get('shop')).toContain('must be a map');
  });
});

describe('when the file is read again', () => {
  test('what did not change is the same object, what changed is another, what is gone is gone', () => {
    const first = load(accountsFile({ shop: SHOP, bank: BANK, old: { ...SHOP, agentId: '7' } }));
    const next = load(accountsFile({ shop: SHOP, bank: { ...BANK, agentId: '9' } }), {
      previous: first.accounts,
    });
    expect(next.accounts.get('shop')).toBe(first.accounts.get('shop'));
    expect(next.accounts.get('bank')).toMatchObject({ agentId: 9 });
    expect(next.accounts.has('old')).toBe(false);
  });

  test('a changed secret in an unchanged file is a change', () => {
    const first = load(accountsFile({ shop: SHOP }));
    writeFileSync(join(directory, 'token'), 'NewSecret');
    const next = load(accountsFile({ shop: SHOP }), { previous: first.accounts });
    writeFileSync(join(directory, 'token'), 'TokenSecret\n');
    expect(next.accounts.get('shop')?.token.reveal()).toBe('NewSecret');
  });

  test('an account whose definition became bad goes on with its old one', () => {
    const first = load(accountsFile({ shop: SHOP }));
    const next = load(accountsFile({ shop: { ...SHOP, tokenFile: 'none' } }), { previous: first.accounts });
    expect(next.accounts.get('shop')).toBe(first.accounts.get('shop'));
    expect(next.problems.get('shop')).toContain('tokenFile names ');
  });
});

describe('a file that cannot be used as a whole is refused with one sentence', () => {
  test.each([
    ['no YAML', 'accounts:\n  shop: [', /^ACCOUNTS_FILE is no YAML: .+ at line \d+, column \d+$/],
    ['a key twice', 'accounts:\n  shop: {}\n  shop: {}', /at line 3, column 3: this name stands here twice$/],
    ['empty', '# nothing\n', /^ACCOUNTS_FILE must hold one map, accounts/],
    ['a list', '- shop', /must hold one map/],
    ['another key', 'accounts: {}\nmore: {}', /must hold one map/],
    ['too large', `#${'x'.repeat(300_000)}`, /^ACCOUNTS_FILE names .+, which is over 256 KiB$/],
    [
      'a bomb of aliases',
      `${'abcdefgh'
        .split('')
        .map((name, at, all) => `${name}: &${name} [${Array(9).fill(at === 0 ? 'x' : `*${all[at - 1]}`)}]`)
        .join('\n')}\naccounts: {}`,
      /^ACCOUNTS_FILE has more than 10 aliases/,
    ],
    [
      'too many',
      `accounts:\n${Array.from({ length: 201 }, (_, i) => `  a${i}: {}`).join('\n')}`,
      /names over 200 accounts/,
    ],
  ])('%s', (_what, text, sentence) => {
    expect(refusal(text)).toMatch(sentence);
  });

  test('a file that is not there', () => {
    const nowhere = () => loadAccounts(botAccountSettings, { accountsFile: '/nowhere/accounts.yaml' });
    expect(nowhere).toThrow('ACCOUNTS_FILE names /nowhere/accounts.yaml, which cannot be read (ENOENT)');
  });

  test('no good account at all, each with its reason', () => {
    const entries = accountsFile({ shop: { ...SHOP, agentId: 'x' } });
    expect(() => load(entries, { alone: true })).toThrow(
      /account "shop": agentId[\s\S]+no account that can be used/,
    );
  });
});

describe('the variables of an app beside the file', () => {
  const others = {
    REDIS_URL: 'redis://127.0.0.1:6379',
    PUSH_ALLOWED_SOURCES: '10.0.0.0/8',
    PUSH_MYSQL_URL: 'mysql://127.0.0.1:3306/keypad_push',
    PUSH_MASTER_KEY: 'x'.repeat(32),
    PUSH_ROBOTS: '{}',
  };

  test('all of them may be absent', () => {
    const { push } = readConfig('push', { ...others, ACCOUNTS_FILE: path });
    expect(push).toMatchObject({ accountsFile: path });
    expect(push?.account).toBeUndefined();
  });

  test.each([
    ['WECOM_SECRET', 's'],
    ['WECOM_SECRET_FILE', '/secret'],
    ['PUSH_ACCOUNT_LIMIT', '5'],
  ])('%s without the others is a mistake', (name, value) => {
    expect(() => readConfig('push', { ...others, ACCOUNTS_FILE: path, [name]: value })).toThrow(
      'WECOM_CORP_ID is not set',
    );
  });
});
