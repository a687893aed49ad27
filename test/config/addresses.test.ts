import { describe, expect, test } from 'vitest';
import { environment, problemsOf } from '#test/settings.ts';
import { readConfig } from '../../src/config.ts';
import { InputError } from '../../src/errors.ts';
import { readMysqlAddress } from '../../src/server/mysql-address.ts';
import { readRedisAddress } from '../../src/server/redis-address.ts';

interface Parts {
  readonly scheme?: string;
  readonly login?: string;
  readonly host?: string;
  readonly port?: string;
  readonly behind?: string;
}

/** Each setting that holds an address, as a good one is written in it. */
const settings: Readonly<Record<string, Required<Parts> & { readonly wrap?: (text: string) => string }>> = {
  MYSQL_URL: mysql('/keypad'),
  PUSH_MYSQL_URL: mysql('/keypad_push'),
  OPS_MYSQL_TARGETS: {
    ...mysql(''),
    wrap: (text) => JSON.stringify({ good: 'mysql://root@db', 'shop-db': text }),
  },
  REDIS_URL: { scheme: 'redis:', login: ':word-Secret@', host: 'redis', port: ':6379', behind: '/1' },
  OPS_URL: https(),
  PUSH_URL: https(),
  OPS_PUSH_URL: https(),
  WECOM_API_URL: https(),
  HTTPS_PROXY: { ...https(), login: 'me:word-Secret@', behind: '' },
  HTTP_PROXY: { ...https(), scheme: 'http:', login: 'me:word-Secret@', behind: '/' },
};
const names = Object.keys(settings);

function mysql(behind: string) {
  return { scheme: 'mysql:', login: 'me:word-Secret@', host: 'db', port: ':3306', behind };
}

function https() {
  return { scheme: 'https:', login: '', host: 'gateway', port: ':8443', behind: '/keypad' };
}

/** The value of a setting whose address is right but for these parts. */
function written(name: string, parts: Parts = {}): string {
  const right = settings[name];
  if (right === undefined) throw new Error(`${name} is no setting of the table`);
  const { scheme, login, host, port, behind } = { ...right, ...parts };
  const text = `${scheme}//${login}${host}${port}${behind}`;
  return right.wrap?.(text) ?? text;
}

const problemsWith = (name: string, parts: Parts) =>
  problemsOf('all', { ...environment, [name]: written(name, parts) });

test.each(names)('%s as it should be is taken', (name) => {
  expect(problemsWith(name, {})).toEqual([]);
});

/** What is wrong, and what its sentence says. */
const faults: readonly (readonly [what: string, parts: Parts, sentence: RegExp])[] = [
  ['another scheme', { scheme: 'ftp:' }, /must be an address that begins with \w+:\/\//],
  ['no scheme', { scheme: '' }, /must be an address that begins with \w+:\/\//],
  ['quotes around it', { scheme: '"https:' }, /must be an address that begins with \w+:\/\//],
  ['no host', { host: '' }, /must name a host/],
  ['no host and no port', { host: '', port: '' }, /must name a host/],
  ['a host with codes', { host: 'a%2Fb' }, /must name a host|cannot be read/],
  ['port 0', { port: ':0' }, /a port (is a number )?from 1 to 65535/],
  ['a port out of range', { port: ':65536' }, /a port is a number from 1 to 65535/],
  ['a port that is no number', { port: ':http' }, /a port is a number from 1 to 65535/],
  ['a % in a login', { login: 'me:50%-Secret@' }, /write %25 for it/],
  ['a code of half a character', { login: 'me:%e4-Secret@' }, /write %25 for it/],
  ['a % in the path', { behind: '/a%zz' }, /write %25 for it/],
  ['a # in a login', { login: 'me:a#b-Secret@' }, /write %23/],
  ['a fragment', { behind: '/1#x' }, /has a # in it/],
  ['an empty fragment', { behind: '#' }, /has a # in it/],
  ['a / in a login', { login: 'me:a/b-Secret@' }, /in a login \/ is written %2F/],
  ['a / behind a number in a login', { login: 'me:1/b-Secret@' }, /in a login \/ is written %2F/],
  ['a ? in a login', { login: 'me:1?b-Secret@' }, /in a login .+ \? %3F/],
  ['a space', { host: 'd b' }, /has a space/],
  ['a line break', { behind: '/a\nb' }, /control character/],
  ['a line break as a code', { login: 'me%0A:b-Secret@' }, /control character/],
  ['a NUL as a code', { login: 'root%00me:b-Secret@' }, /control character/],
  ['a backslash', { host: 'db\\evil' }, /backslash/],
  ['an unknown parameter', { behind: '/1?charset=latin1' }, /parameter|query/],
  ['a parameter without a value', { behind: '/1?fast' }, /parameter|query/],
  ['a path of two', { behind: '/a/b?' }, /must end in|without a path|^$/],
];

/** A path stands before that of an API. */
const takes = (name: string, what: string) =>
  what === 'a path of two' && /^(OPS_|PUSH_|OPS_PUSH_)URL$|API/.test(name);

describe.each(faults)('%s', (what, parts, sentence) => {
  test.each(names)(`is refused in %s, and no word of it shown`, (name) => {
    const found = problemsWith(name, parts);
    if (takes(name, what)) return expect(found).toEqual([]);
    expect(found).toEqual([expect.stringMatching(`^${name} `)]);
    expect(found[0]).toMatch(sentence);
    expect(found[0]).not.toContain('Secret');
  });
});

describe('TLS is never asked for in vain', () => {
  const words = [
    'ssl=true',
    'sslmode=require',
    'ssl_mode=REQUIRED',
    'sslMode=VERIFY_CA',
    'useSSL=true',
    'tls=1',
  ];
  const others = [
    'ssl={"rejectUnauthorized":true}',
    'ssl=Amazon%20RDS',
    'ssl-ca=/ca.pem',
    'a=b&tls=skip-verify',
  ];
  const modes = [
    'ssl-mode=PREFERRED',
    'ssl-mode=',
    'ssl-mode=required&ssl-mode=DISABLED',
    'ssl-mode=__proto__',
  ];

  test.each([...words, ...others, ...modes])('%s', (word) => {
    for (const name of names) {
      const found = problemsWith(name, { behind: `${settings[name]?.behind || '/'}?${word}` });
      expect(found).toEqual([expect.stringMatching(`^${name} `)]);
      expect(found[0]).toMatch(/ssl-mode|rediss:\/\/|without a (login or|path or) query/);
    }
  });

  test.each(['Redis', 'nodes', 'an API'])('%s: the letters of a scheme may be capitals', (what) => {
    const { redisUrl, redisNodes, opsUrl } = readBot({
      REDIS_URL: 'REDISS://redis',
      REDIS_NODES: 'CLUSTER://a:1',
      OPS_URL: 'HTTPS://ops',
    });
    const read = {
      Redis: readRedisAddress(redisUrl.reveal()).tls,
      nodes: redisNodes.reveal()?.kind,
      'an API': opsUrl,
    };
    const expected = { Redis: {}, nodes: 'cluster', 'an API': 'https://ops' };
    expect(read[what as keyof typeof read]).toEqual(expected[what as keyof typeof read]);
  });

  test('plain http and https at once are a contradiction', () => {
    for (const name of ['OPS_URL', 'PUSH_URL', 'OPS_PUSH_URL']) {
      expect(problemsWith(name, { behind: '?plain-http' })).toEqual([
        expect.stringContaining('take one of them off'),
      ]);
    }
  });

  test('an address has no name that could be checked', () => {
    const found = problemsOf('ops', {
      ...environment,
      MYSQL_URL: 'mysql://10.0.0.1/keypad?ssl-mode=VERIFY_IDENTITY',
    });
    expect(found).toEqual([expect.stringContaining('write the host by its name, or ssl-mode=VERIFY_CA')]);
  });
});

test('all problems of all settings are told at once, each with its setting', () => {
  const broken = Object.fromEntries(names.map((name) => [name, written(name, { host: '' })]));
  const more = {
    OPS_MYSQL_TARGETS: '{"a":"mysql://","b":5,"c":"mysql://c?ssl=1"}',
    REDIS_NODES: 'cluster://a,b:0,c:7',
    OPS_ALLOWED_SOURCES: '0.0.0.0/0,x',
    NO_PROXY: 'http://a b/c',
    PUSH_ROBOTS: '{"a b":"","room":""}',
  };
  const found = problemsOf('all', { ...environment, ...broken, ...more });
  const counts = Object.fromEntries(names.map((name) => [name, 1]));
  for (const problem of found) expect(problem).toMatch(/^[A-Z_]+ [^\n]+$/);
  expect(countByName(found)).toEqual({
    ...counts,
    OPS_MYSQL_TARGETS: 3,
    REDIS_NODES: 2,
    OPS_ALLOWED_SOURCES: 2,
    NO_PROXY: 2,
    PUSH_ROBOTS: 2,
  });
});

function countByName(found: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const problem of found) {
    const [name = ''] = problem.split(' ');
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

const readBot = (env: Readonly<Record<string, string>>) => {
  const { bot } = readConfig('bot', { ...environment, ...env });
  if (bot === undefined) throw new Error('the role is bot');
  return bot;
};

describe('MySQL', () => {
  const login = { user: 'me', password: 'p@ss/w%rd' };
  test.each([
    ['mysql://db', { host: 'db', port: 3306 }],
    ['mysql://root@127.0.0.1:3307/', { host: '127.0.0.1', port: 3307, user: 'root' }],
    [
      'mysql://me:p%40ss%2Fw%25rd@my_db.internal./keypad',
      { host: 'my_db.internal.', port: 3306, ...login, database: 'keypad' },
    ],
    ['mysql://me:p@ss%2Fw%25rd@[::1]:1/ke%20y', { host: '::1', port: 1, ...login, database: 'ke y' }],
    ['mysql://db?ssl-mode=disabled', { host: 'db', port: 3306 }],
    ['mysql://db?ssl-mode=required', { host: 'db', port: 3306, ssl: { rejectUnauthorized: false } }],
    [
      'mysql://10.0.0.1?ssl-mode=VERIFY_CA',
      { host: '10.0.0.1', port: 3306, ssl: { rejectUnauthorized: true } },
    ],
    [
      'mysql://db?ssl-mode=VERIFY_IDENTITY',
      { host: 'db', port: 3306, ssl: { rejectUnauthorized: true, verifyIdentity: true } },
    ],
  ])('%s', (text, expected) => {
    expect(readMysqlAddress(text)).toEqual(expected);
  });

  test.each(['mysql://db', 'mysql://db/', 'mysql://db/?ssl-mode=REQUIRED'])(
    '%s names no database',
    (text) => {
      for (const name of ['MYSQL_URL', 'PUSH_MYSQL_URL']) {
        expect(problemsOf('all', { ...environment, [name]: text })).toEqual([
          `${name} must end in /<database>`,
        ]);
      }
    },
  );
});

describe('Redis', () => {
  const server = { host: 'redis', db: 0 };
  test.each([
    ['redis://redis', server],
    ['redis://redis/', server],
    ['rediss://redis:6380/15', { ...server, port: 6380, db: 15, tls: {} }],
    ['redis://:p%40ss%25@redis/0', { ...server, password: 'p@ss%' }],
    ['redis://me:word@[2001:db8::1]', { host: '2001:db8::1', db: 0, username: 'me', password: 'word' }],
  ])('%s', (text, expected) => {
    expect(readRedisAddress(text)).toEqual(expected);
  });

  test.each([
    ['redis://redis/keypad', 'must end in /<number>'],
    ['redis://redis/1/2', 'must end in /<number>'],
    ['redis://redis/-1', 'must end in /<number>'],
    ['redis://redis/01', 'must end in /<number>'],
    ['redis://redis/1.5', 'must end in /<number>'],
    ['redis://redis/?db=2', 'has a parameter'],
    ['redis://word@redis', 'has a user without a password'],
    ['redis://me:@redis', 'has a user without a password'],
  ])('%s: %s', (text, sentence) => {
    expect(() => readRedisAddress(text)).toThrow(InputError);
    expect(() => readRedisAddress(text)).toThrow(sentence);
  });

  test.each([
    [
      'cluster://redis-0:6379,[::1]:6380',
      {
        kind: 'cluster',
        nodes: [
          { host: 'redis-0', port: 6379 },
          { host: '::1', port: 6380 },
        ],
      },
    ],
    [
      'sentinel://10.0.0.1:26379',
      { kind: 'sentinel', nodes: [{ host: '10.0.0.1', port: 26_379 }], username: '', password: '' },
    ],
    [
      'sentinel://me:p%40ss@a:1',
      { kind: 'sentinel', nodes: [{ host: 'a', port: 1 }], username: 'me', password: 'p@ss' },
    ],
  ])('%s', (text, expected) => {
    expect(readBot({ REDIS_URL: 'redis://keypad', REDIS_NODES: text }).redisNodes.reveal()).toEqual(expected);
  });

  test.each([
    ['redis-0:6379,redis-1:6379', 'must be cluster://<host>:<port>'],
    ['cluster://redis-0', 'must be cluster://<host>:<port>'],
    ['cluster://redis-0:6379,', 'must name a host'],
    ['cluster://redis-0:0', 'must have a port from 1 to 65535'],
    ['cluster://redis-0:99999', 'a port is a number from 1 to 65535'],
    ['cluster://redis-0:1, redis-1:1', 'has a space'],
    ['cluster://redis-0:1?tls=true', 'for TLS REDIS_URL begins with rediss://'],
    ['clusters://redis-0:1', 'for TLS REDIS_URL begins with rediss://'],
    ['sentinel://redis-0:26379/0', 'nothing behind them'],
    ['sentinel://me@redis-0:26379', 'with user:password@ before the hosts'],
    ['cluster://:nodes-Secret@redis-0:6379', 'that of a cluster is in REDIS_URL'],
    ['sentinel://:nodes-Secret%@redis-0:26379', 'write %25 for it'],
    ['sentinel://:nodes-Secret#@redis-0:26379', 'write %23'],
  ])('%s: %s', (text, sentence) => {
    const found = problemsOf('bot', { ...environment, REDIS_NODES: text });
    expect(found).toEqual([expect.stringContaining(sentence)]);
    expect(found[0]).toMatch(/^REDIS_NODES (?!.*Secret)/);
  });

  test.each([
    ['redis://redis/2', 'cluster://a:1', 'REDIS_URL ends in the number of a database'],
    ['redis://keypad:6379', 'sentinel://a:1', 'REDIS_URL has a port'],
  ])('%s beside %s: %s', (url, nodes, sentence) => {
    const found = problemsOf('bot', { ...environment, REDIS_URL: url, REDIS_NODES: nodes });
    expect(found).toEqual([expect.stringContaining(sentence)]);
  });
});

describe('an API', () => {
  test.each([
    ['https://gateway', 'https://gateway'],
    ['https://gateway/keypad//', 'https://gateway/keypad'],
    ['https://gateway/a/v1b', 'https://gateway/a/v1b'],
    ['http://127.8.8.8:8081', 'http://127.8.8.8:8081'],
    ['http://[::1]:8081/', 'http://[::1]:8081'],
    ['http://ops.internal:8081/x?plain-http', 'http://ops.internal:8081/x'],
  ])('%s is %s', (text, expected) => {
    expect(readBot({ OPS_URL: text, PUSH_URL: text })).toMatchObject({ opsUrl: expected, pushUrl: expected });
  });

  test.each([
    ['OPS_URL', 'http://ops.internal:8081', 'write ?plain-http behind an http address'],
    ['OPS_URL', 'http://127.0.0.1.evil.example', 'write ?plain-http behind an http address'],
    ['PUSH_URL', 'https://push.internal/v1', 'must not end in /v1, which is put behind it'],
    ['OPS_PUSH_URL', 'http://push.internal/v1/?plain-http', 'must not end in /v1, which is put behind it'],
    ['WECOM_API_URL', 'https://qyapi.weixin.qq.com/cgi-bin/', 'must not end in /cgi-bin'],
    ['WECOM_API_URL', 'http://qyapi.weixin.qq.com', 'plain http is for loopback only'],
    ['WECOM_API_URL', 'http://qyapi.weixin.qq.com?plain-http', 'plain http is for loopback only'],
    ['WECOM_API_URL', 'https://me:word-Secret@host', 'without a login'],
    ['HTTPS_PROXY', 'proxy:3128', 'begins with http:// or https://'],
    ['HTTP_PROXY', 'socks5://me:word-Secret@proxy', 'begins with http:// or https://'],
    ['HTTPS_PROXY', 'http://proxy:3128/path', 'without a path or query'],
  ])('%s=%s: %s', (name, text, sentence) => {
    const found = problemsOf('all', { ...environment, [name]: text });
    expect(found).toEqual([expect.stringContaining(sentence)]);
    expect(found[0]).not.toContain('Secret');
  });
});

describe('proxies', () => {
  const readPush = (env: Readonly<Record<string, string>>) =>
    readConfig('push', { ...environment, ...env }).push;

  test('an address may have a login, which is not shown', () => {
    const push = readPush({ HTTPS_PROXY: 'http://me:word@proxy:3128' });
    expect([push?.httpsProxy.reveal(), push?.httpProxy.reveal()]).toEqual(['http://me:word@proxy:3128', '']);
    expect(JSON.stringify(push)).not.toContain('word');
  });

  test('the names count in lower-case letters too, and both only when they say the same', () => {
    const push = readPush({
      https_proxy: 'http://a',
      http_proxy: 'http://b',
      HTTP_PROXY: 'http://b',
      no_proxy: '.c',
    });
    expect([push?.httpsProxy.reveal(), push?.httpProxy.reveal(), push?.noProxy]).toEqual([
      'http://a',
      'http://b',
      '.c',
    ]);
    expect(
      problemsOf('push', { ...environment, HTTPS_PROXY: 'http://a', https_proxy: 'http://b-Secret' }),
    ).toEqual(['HTTPS_PROXY and https_proxy are both set, each to another value; remove one of them']);
  });

  test.each([
    '*',
    'localhost',
    '.corp.example',
    '*.corp.example',
    'a_b:8080',
    '10.0.0.0/8, fd00::/8 ::1',
    '[::1]:80',
    'a.b.',
  ])('NO_PROXY=%s is taken', (text) => {
    expect(readPush({ NO_PROXY: text })?.noProxy).toBe(text);
  });

  test.each(['http://a', 'a/b', '10.0.0.0/33', '10.0.0.*', 'a*', '[a]', '10.0.0.0/8:80', 'a:b'])(
    'NO_PROXY=%s excepts nothing',
    (text) => {
      const found = problemsOf('push', { ...environment, NO_PROXY: `good, ${text}` });
      expect(found).toEqual([
        `NO_PROXY has "${text}", which excepts nothing; write host.example, .example, 10.1.2.3 or 10.0.0.0/8, with :<port> behind a host if it is for that alone`,
      ]);
    },
  );
});
