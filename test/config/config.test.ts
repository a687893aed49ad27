import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { environment as all, bot, jwk, ops, problemsOf as problems, publicJwk } from '#test/settings.ts';
import { opsSettings, readConfig, readRole, readSettings } from '../../src/config.ts';

const directory = mkdtempSync(join(tmpdir(), 'keypad-config-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('what a role is told', () => {
  test('a role needs its own settings only, and unknown names are ignored', () => {
    expect(readConfig('bot', { ...bot, UNKNOWN: 'x' }).ops).toBeUndefined();
    expect(readConfig('ops', ops).bot).toBeUndefined();
    expect(readConfig('all', all)).toMatchObject({
      logLevel: 'info',
      internalHost: '127.0.0.1',
    });
  });

  test('what is unset takes the documented default: loopback, and no trusted proxy', () => {
    expect(readConfig('all', all)).toMatchObject({
      bot: { host: '127.0.0.1', port: 8080, internalPort: 9080, trustedProxies: [], menusDir: './menus' },
      ops: { host: '127.0.0.1', port: 8081, internalPort: 9081, trustedProxies: [] },
    });
  });

  test('values come back read', () => {
    const { bot: read, ops: platform, push: delivery } = readConfig('all', all);
    expect(delivery?.apiUrl).toBe('https://qyapi.weixin.qq.com');
    expect(read).toMatchObject({
      account: {
        name: 'default',
        agentId: 1000002,
        callbackSources: { wecom: true, cidrs: ['10.0.0.0/8'] },
      },
      opsUrl: 'https://ops.internal:8081',
      pushUrl: 'http://push.internal:8083',
    });
    expect(read?.signingKey.reveal()).toMatchObject({ kid: 'k1' });
    expect([...(platform?.verifyingKeys.keys() ?? [])]).toEqual(['k1']);
    expect(platform?.mysqlTargets.reveal()).toEqual({ 'shop-db': expect.stringContaining('mysql://') });
  });

  test('it is frozen to the bottom', () => {
    const config = readConfig('all', all);
    for (const part of [config, config.bot, config.ops, config.bot?.account?.callbackSources.cidrs]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
    expect(Object.isFrozen(config.bot?.trustedProxies)).toBe(true);
  });

  test('plug-ins get the environment without the settings of any role, and without files of them; proxies stay', () => {
    const others = { PATH: '/bin', AWS_REGION: 'x', https_proxy: 'http://p', HTTPS_PROXY: 'http://p' };
    const env = { ...all, ...others, PUSH_MASTER_KEY: undefined, PUSH_MASTER_KEY_FILE: '/secret' };
    expect(readConfig('ops', env).ops?.pluginEnvironment.reveal()).toEqual(others);
  });

  test('the role is one of four words', () => {
    expect(readRole('ops')).toBe('ops');
    expect(readRole('push')).toBe('push');
    expect(() => readRole(undefined)).toThrow('bot, ops, push or all');
  });
});

describe('what stops the process', () => {
  test('with nothing set, every required variable is named at once, with a remedy', () => {
    const named = problems('all', {}).map((problem) => problem.split(' ')[0]);
    expect(named).toEqual([...new Set(Object.keys(all))]);
    for (const problem of problems('all', {})) expect(problem).toMatch(/is not set\. .+ Set it.*, e\.g\. \S/);
  });

  test('no secret has a default', () => {
    const secrets = ['WECOM_TOKEN', 'WECOM_ENCODING_AES_KEY', 'WECOM_SECRET', 'REDIS_URL', 'OPS_SIGNING_KEY'];
    const more = ['MYSQL_URL', 'OPS_MYSQL_TARGETS', 'OPS_AUDIT_KEY'];
    const pushed = ['PUSH_APP_KEY', 'PUSH_MYSQL_URL', 'PUSH_MASTER_KEY', 'PUSH_ROBOTS'];
    for (const name of [...secrets, ...more, ...pushed]) {
      expect(problems('all', { ...all, [name]: '' })).toEqual([
        expect.stringContaining(`${name} is not set`),
      ]);
    }
  });

  test.each([
    ['WECOM_CORP_ID', 'ww 1', 'must be a corp id'],
    ['WECOM_AGENT_ID', '1e6', 'must be a whole number'],
    ['WECOM_TOKEN', 'x'.repeat(33), '1 to 32 letters and digits'],
    ['WECOM_TOKEN', 'a-b', '1 to 32 letters and digits'],
    ['WECOM_ENCODING_AES_KEY', 'x'.repeat(42), '43 letters and digits'],
    ['WECOM_ENCODING_AES_KEY', `${'x'.repeat(42)}=`, '43 letters and digits'],
    ['CALLBACK_ALLOWED_SOURCES', ' , ', 'is an empty list'],
    ['CALLBACK_ALLOWED_SOURCES', 'wecom,0.0.0.0/0', '"0.0.0.0/0" lets in (nearly) the whole internet'],
    ['CALLBACK_ALLOWED_SOURCES', 'weixin', '"weixin" is neither an address nor a CIDR'],
    ['OPS_ALLOWED_SOURCES', '::/0', '"::/0" lets in (nearly) the whole internet'],
    ['OPS_ALLOWED_SOURCES', 'wecom', '"wecom" is neither an address nor a CIDR'],
    ['OPS_ALLOWED_SOURCES', ',', 'is an empty list'],
    ['TRUSTED_PROXIES', '0.0.0.0/0', '"0.0.0.0/0" lets in (nearly) the whole internet'],
    ['BOT_PORT', '0', 'must be a whole number from 1 to 65535'],
    ['BOT_PORT', '65536', 'must be a whole number from 1 to 65535'],
    ['BOT_HOST', 'http://x', 'must be an address such as'],
    ['INSTALLATION', 'a:b', 'up to 32 lower-case letters, digits and -'],
    ['INSTALLATION', '{a}', 'up to 32 lower-case letters, digits and -'],
    ['OPS_SIGNING_KEY', '{', 'cannot be used: the signing key is not a private Ed25519 JWK'],
    [
      'OPS_SIGNING_KEY',
      JSON.stringify(publicJwk),
      'cannot be used: the signing key is not a private Ed25519 JWK',
    ],
    [
      'OPS_SIGNING_KEY',
      JSON.stringify({ ...jwk, kid: undefined }),
      'cannot be used: the signing key is not a private Ed25519 JWK',
    ],
    ['OPS_SIGNING_KEY', JSON.stringify({ ...jwk, d: publicJwk.x }), 'the signing key does not fit together'],
    ['OPS_VERIFYING_KEYS', JSON.stringify({ keys: [jwk] }), 'holds a private key'],
    ['OPS_VERIFYING_KEYS', JSON.stringify({ keys: [] }), 'the verifying keys are not a JWKS'],
    [
      'OPS_VERIFYING_KEYS',
      JSON.stringify({ keys: [publicJwk, publicJwk] }),
      'two verifying keys have the kid k1',
    ],
    [
      'OPS_VERIFYING_KEYS',
      JSON.stringify({ keys: [{ ...publicJwk, x: 'short' }] }),
      'the verifying keys are not a JWKS of public Ed25519 keys',
    ],
    [
      'OPS_VERIFYING_KEYS',
      JSON.stringify({ keys: [{ kty: 'oct', kid: 'k', k: 'x' }] }),
      'the verifying keys are not a JWKS of public Ed25519 keys',
    ],
    ['OPS_MYSQL_TARGETS', '[]', 'must be a JSON object'],
    ['OPS_AUDIT_KEY', 'x'.repeat(31), 'at least 32 characters'],
    ['PUSH_ALLOWED_SOURCES', '0.0.0.0/0', '"0.0.0.0/0" lets in (nearly) the whole internet'],
    ['PUSH_MASTER_KEY', 'x'.repeat(31), 'at least 32 characters'],
    ['PUSH_ACCOUNT_LIMIT', '0', 'must be a whole number from 1'],
    ['PUSH_ROBOTS', '[]', 'must be a JSON object of robot names'],
    ['PUSH_ROBOTS', '{"a b":"12345678"}', 'names a robot with other signs'],
    ['PUSH_ROBOTS', '{"room":"a/../b12345"}', 'gives "room" no key'],
    ['PUSH_CONCURRENCY', '0', 'must be a whole number from 1 to 1000'],
    ['PUSH_APP_ID', 'Keypad Bot', 'must be the id of an app'],
    ['PUSH_APP_KEY', 'x'.repeat(42), 'must be 43 letters, digits'],
    ['LOG_LEVEL', 'loud', 'must be one of fatal, error, warn, info, debug, trace'],
    ['INTERNAL_HOST', 'a b', 'must be an address'],
  ])('%s=%s: %s', (name, value, sentence) => {
    const found = problems('all', { ...all, [name]: value });
    expect(found).toEqual([expect.stringContaining(`${name} `)]);
    expect(found[0]).toContain(sentence);
  });

  test('the app of the bot may have every name that app-key gives', () => {
    expect(readConfig('bot', { ...bot, PUSH_APP_ID: 'keypad_bot-2' }).bot?.pushAppId).toBe('keypad_bot-2');
  });
});

describe('secrets from files', () => {
  const file = join(directory, 'token');
  const { WECOM_TOKEN: _token, ...withoutToken } = bot;

  test('X_FILE names the file; the line end behind the secret is not part of it', () => {
    writeFileSync(file, 'FromFile1\n');
    const config = readConfig('bot', { ...withoutToken, WECOM_TOKEN_FILE: file });
    expect(config.bot?.account?.token.reveal()).toBe('FromFile1');
  });

  test('a file that is missing or empty, and a secret given twice, are problems', () => {
    const empty = join(directory, 'empty');
    writeFileSync(empty, '\n');
    expect(problems('bot', { ...withoutToken, WECOM_TOKEN_FILE: join(directory, 'none') })).toEqual([
      expect.stringMatching(/^WECOM_TOKEN_FILE names .+none, which cannot be read \(ENOENT\)/),
    ]);
    expect(problems('bot', { ...withoutToken, WECOM_TOKEN_FILE: empty })).toEqual([
      expect.stringMatching(/^WECOM_TOKEN_FILE names an empty file/),
    ]);
    expect(problems('bot', { ...bot, WECOM_TOKEN_FILE: file })).toEqual([
      'WECOM_TOKEN and WECOM_TOKEN_FILE are both set; remove one of them',
    ]);
  });
});

describe('what must not be seen', () => {
  test('a config shows no secret, however it is printed', () => {
    const config = readConfig('all', all);
    const printed = [
      inspect(config, { depth: 9, showHidden: true }),
      JSON.stringify(config),
      `${config.bot?.account?.token}`,
    ];
    for (const text of printed) {
      expect(text).not.toMatch(/Secret[^s]|Secret1/);
      expect(text).not.toContain(jwk.d);
    }
    expect(JSON.stringify({ ...config.bot?.account })).toContain('"token":"[secret]"');
  });

  test('a problem with a secret does not show it', () => {
    const broken = Object.fromEntries(Object.keys(all).map((name) => [name, 'Leaked Secret']));
    for (const problem of problems('all', broken)) {
      const name = problem.split(' ')[0] ?? '';
      if (!/_ALLOWED_SOURCES$|^WECOM_AGENT_ID$|^PUSH_ACCOUNT_LIMIT$/.test(name)) {
        expect(problem).not.toContain('Leaked');
      }
    }
  });
});

test('a command line tool reads just the settings it needs', () => {
  const read = readSettings({ mysqlUrl: opsSettings.mysqlUrl, auditKey: opsSettings.auditKey }, ops);
  expect(read.mysqlUrl.reveal()).toBe(ops.MYSQL_URL);
});
