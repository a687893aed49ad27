import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { openDatabase } from '../../src/push/database/database.ts';
import { createPushMetrics } from '../../src/push/metrics.ts';
import { openAccounts } from '../../src/push/open-accounts.ts';
import { createLog } from '../../src/server/log.ts';
import { createRegistry } from '../../src/server/metrics.ts';
import { WeComError } from '../../src/wecom/api/wecom-error.ts';

const directory = mkdtempSync(join(tmpdir(), 'keypad-accounts-'));
const path = join(directory, 'accounts.yaml');
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const write = (names: readonly string[]): void => {
  const entries = names.map((name, index) => {
    const account = { corpId: 'ww9999999999999999', agentId: 1_000_007 + index, secretFile: 'secret' };
    return `${name}: ${JSON.stringify({ ...account, limits: { accountLimit: 5 } })}`;
  });
  writeFileSync(path, `accounts: { ${entries.join(', ')} }`);
};

/** Opens the accounts bank and shop, which reach nothing. */
function open() {
  writeFileSync(join(directory, 'secret'), 'a-secret');
  write(['bank', 'shop']);
  const mysqlUrl = 'mysql://nobody@127.0.0.1:1/none';
  const { push: config } = readConfig('push', {
    ACCOUNTS_FILE: path,
    PUSH_ALLOWED_SOURCES: '127.0.0.1',
    PUSH_MYSQL_URL: mysqlUrl,
    PUSH_MASTER_KEY: 'a master key of the tests, 32 characters long',
    PUSH_ROBOTS: '{}',
  });
  if (config === undefined) throw new Error('the role is push');
  const registry = createRegistry();
  const accounts = openAccounts({
    config,
    send: async () => expect.unreachable('nothing is sent'),
    // No connection is made before the first query.
    db: openDatabase(mysqlUrl),
    metrics: createPushMetrics(registry),
    log: createLog({ level: 'silent', destination: { write: () => {} } }),
  });
  return { accounts, registry };
}

test('an account that WeCom blocks is shown as such, until when, and what to do', () => {
  const { accounts } = open();
  const until = 1_767_225_660_000;
  const blocked = new Map([['shop', until]]);
  expect(accounts.list(new Map(), blocked)).toEqual([
    { account: 'bank', state: 'active', queued: 0 },
    {
      account: 'shop',
      state: 'blocked',
      queued: 0,
      advice: expect.stringContaining('do not try before'),
      until: new Date(until).toISOString(),
    },
  ]);
  const pass = accounts.find('shop')?.pause.enter();
  if (pass === undefined || 'at' in pass) throw new Error('nothing has paused it yet');
  pass.refused(new WeComError('message/send', 60020, 'not allow to access from your ip'));
  // What somebody has to mend matters more.
  expect(accounts.list(new Map(), blocked)[1]).toMatchObject({ state: 'paused', errcode: 60020 });
});

test('an account that is removed while its breaker is open, or it is paused, is shown as neither', async () => {
  const { accounts, registry } = open();
  const shop = accounts.find('shop');
  for (let bad = 0; bad < 5; bad += 1) shop?.breaker.record('bad');
  const pass = shop?.pause.enter();
  if (pass === undefined || 'at' in pass) throw new Error('nothing has paused it yet');
  pass.refused(new WeComError('message/send', 60020, 'not allow to access from your ip'));
  const before = await registry.metrics();
  expect(before).toContain('keypad_push_breaker_state{account="shop"} 2');
  expect(before).toContain('keypad_push_account_paused{account="shop"} 1');

  write(['bank']);
  accounts.reload();
  const text = await registry.metrics();
  expect(text).toContain('keypad_push_breaker_state{account="shop"} 0');
  expect(text).toContain('keypad_push_account_paused{account="shop"} 0');
  expect(accounts.find('shop')).toBeUndefined();
});
