import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changeNamed, readNamed } from '#test/operations.ts';
import { fakeOps, type Phone, phoneWith } from '#test/phone.ts';
import { attacks } from '#test/size.ts';
import { obstaclesOf } from '../../operations/k8s/_deployment.ts';
import { hideStatementSecrets } from '../../operations/mysql/_statement-secrets.ts';
import { Refused } from '../../src/errors.ts';
import { Unavailable } from '../../src/menu/index.ts';
import { forLog, inPlainLines } from '../../src/ops/foreign-text.ts';
import type { Context } from '../../src/ops/operations/operation.ts';
import { TargetFailed } from '../../src/ops/target-failed.ts';
import { linesOf, plainLine } from '../../src/plain-text.ts';
import { seeded } from '../attack/chance.ts';

const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029\u3164]/u;

test.each([
  ['root\n1 确认\r\n0 返回', 'root↵1 确认↵0 返回'],
  ['a\u0085b\u2028c\u2029d\ve\ff', 'a↵b↵c↵d↵e↵f'],
  ['a\u202eb\u200bc\ufeffd\u00ade', 'a[U+202E]b[U+200B]c[U+FEFF]d[U+00AD]e'],
  ['\u0000\u001b[2J\u009b', '[U+0000][U+001B][2J[U+009B]'],
  ['a\t\u00a0\u3000\u2800 b', 'a  b'],
  ['web  2/2 就绪 ❤️', 'web  2/2 就绪 ❤️'],
  ['<a href="http://x">1</a> <@all> a < b', '＜a href="http://x">1＜/a> ＜@all> a < b'],
  ['x'.repeat(501), `${'x'.repeat(499)}…`],
])('%j is %j', (text, expected) => {
  expect(plainLine(text)).toBe(expected);
});

test('whatever a text holds, it is one line that can be seen, and is not changed again', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (text) => {
      const plain = plainLine(text);
      expect(plain).not.toMatch(UNSEEN);
      expect([...plain].length).toBeLessThanOrEqual(500);
      expect(plainLine(plain)).toBe(plain);
    }),
  );
});

test('the sentence of a failure is plain too', async () => {
  for (const error of [
    new Refused('missing', 'a\n1 确认'),
    new TargetFailed('a\n1 确认', { mayHaveHappened: false }),
  ]) {
    await expect(inPlainLines(Promise.reject(error))).rejects.toThrow(/^a↵1 确认$/);
  }
});

/** The platform's own operations on a cluster and a database that hold these texts wherever they can hold one. */
function hostileTargets(text: string) {
  const condition = { type: 'Progressing', status: 'False', reason: text, message: text };
  const deployment = {
    metadata: { name: 'web', namespace: 'shop', uid: text, generation: 1 },
    spec: { replicas: 2, template: { spec: { containers: [{ image: text }] } } },
    status: { replicas: 2, readyReplicas: 1, conditions: [condition] },
  };
  const pod = (name: string) => ({
    metadata: { name },
    spec: { nodeName: text, containers: [{}] },
    status: { reason: text, containerStatuses: [{ ready: false, state: { waiting: { reason: text } } }] },
  });
  const autoscaler = {
    metadata: { name: text },
    spec: { scaleTargetRef: { kind: 'Deployment', name: 'web' }, maxReplicas: 3 },
  };
  const quota = { metadata: { name: text }, status: { hard: { pods: '2' }, used: { pods: '2' } } };
  const answers = {
    listNamespacedDeployment: async () => [deployment, { ...deployment, metadata: { name: text } }],
    readNamespacedDeployment: async () => deployment,
    listNamespacedPod: async () => [pod('web-1'), pod(text)],
    listNamespacedHorizontalPodAutoscaler: async () => [autoscaler],
    listNamespacedResourceQuota: async () => [quota],
  };
  const answered = (_what: string, _kind: string, request: unknown) => request;
  const cluster = { api: () => answers, read: answered, listed: answered };
  const row = { id: 7, user: text, db: text, seconds: 3, command: text, now: 10, text, run: 5 };
  const rows = async (statement: string) =>
    statement.includes('PROCESSLIST') ? [row] : [{ version: 'MariaDB' }];
  const limits = { replicas: 50 };
  const context = {
    user: 'u',
    instances: () => ['shop-db'],
    cluster: () => ({ cluster, namespaces: ['shop'], limits, environment: 'production' }),
    mysql: () => ({ rows }),
    now: 0,
  } as unknown as Context;
  return { context };
}

function hostile(text: string) {
  const { context } = hostileTargets(text);
  const ops = fakeOps({});
  const said = <T>(work: Promise<T>) =>
    inPlainLines(work).catch((error: Error) => Promise.reject(new Unavailable(error.message)));
  return {
    ...ops,
    may: () => true,
    read: (name: string, input: unknown) =>
      name === 'units.list' ? ['电商'] : said(readNamed(name).run(context, input)),
    async preview(name: string, input: unknown, now: number) {
      const { lines } = await said(changeNamed(name).inspect(context, input));
      return { id: '1', hash: 'h', lines, code: '0482', expiresAt: now + 1000 };
    },
  };
}

const FORGED = [
  '1 确认',
  '0 返回',
  '\n1 确认\n0 返回',
  '\u20281 x',
  '\u202e1 x',
  '   1 y',
  '<a href="x">1</a>',
  '# 退出',
];
const foreign = fc.oneof(
  fc.constantFrom(...FORGED),
  fc
    .array(fc.oneof(fc.constantFrom(...FORGED), fc.string({ unit: 'binary', maxLength: 8 })))
    .map((all) => all.join('')),
);

/** The lines to type from that the screen has: what it pinned, and the keys. */
function oursAt(phone: Phone): readonly string[] {
  const screen = phone.session()?.screen;
  const keys = ['0/* 返回  # 退出  ? 帮助', '* 返回  # 退出  ? 帮助'];
  return screen?.kind === 'choice'
    ? [...keys, ...screen.pins.map(({ label }, i) => `${i + 1} ${label}`)]
    : keys;
}

test('whatever a cluster or a database holds, each line that looks like a choice is one of ours', async () => {
  await fc.assert(
    fc.asyncProperty(foreign, async (text) => {
      const phone = await phoneWith('menus', { ops: hostile(text) as never });
      const screens = [
        '1-1-1',
        '1-1-2',
        '1-1-4',
        '1-1-4-web',
        '1-1-2-web-3',
        '1-1-3-web',
        '1-2-1',
        '1-2-2',
        '1-2-2-1',
      ];
      for (const path of screens) {
        const reply = await phone.say(path);
        expect(reply, path).not.toContain('<a ');
        for (const line of reply.split(/[\n\r\v\f\u0085\u2028\u2029]/)) {
          expect(line, path).not.toMatch(UNSEEN);
          if (/^\s*[(（]?([0-9]+|[*#?np])[.、):：]?\s/u.test(line)) {
            expect(oursAt(phone), `${path}: ${reply}`).toContain(line);
          }
        }
      }
    }),
    { numRuns: attacks(100, 3000), ...seeded },
  );
});

test('an outcome forges none either, whatever its object is called by then', async () => {
  await fc.assert(
    fc.asyncProperty(foreign, async (text) => {
      const { context } = hostileTargets(text);
      const input = {
        unit: '电商',
        namespace: 'shop',
        name: 'web',
        replicas: 3,
        instance: 'shop-db',
        id: '7',
        query: 'x',
      };
      const change = {
        id: '1',
        version: 'v',
        input,
        before: { replicas: 2 },
        after: { replicas: 3 },
        startedAt: 0,
      };
      for (const name of ['k8s.scale', 'k8s.restart'] as const) {
        const seen = await inPlainLines(changeNamed(name).observe(context, change as never));
        const found = await inPlainLines(changeNamed(name).reconcile(context, change as never));
        for (const said of [seen.text, 'text' in found ? found.text : '']) {
          expect(linesOf(said)).toHaveLength(1);
          expect(said).not.toMatch(UNSEEN);
        }
      }
    }),
    { numRuns: attacks(50, 1500), ...seeded },
  );
});

test.each([
  ["create user a identified by 'S3cret'"],
  ['ALTER USER a IDENTIFIED\n WITH caching_sha2_password AS "S3cret"'],
  ["alter user a identified/**/by 'x''S3cret"],
  ["set password = 'S3cret"],
  ["set password for a = password('it\\'s S3cret')"],
  ["set @x = 'a\\', password = 'S3cret'"],
  ["change master to MASTER_PASSWORD='S3cret'"],
  ['change replication source to source_password = "S3cret"'],
  ['alter user a identified with x as 0x5333637265743'],
  ["insert into users (name, password) values ('bob', 'S3cret')"],
  ['select 1 /* token=S3cret */'],
  ['select 1 -- Authorization: Bearer S3cret'],
  ['select 1 where api_key = S3cret'],
  ["select 1 /*!50000 identified by 'S3cret"],
  ["call f(pwd, 'S3cret')"],
  ["call f(secret, 'S3cret')"],
  ["select aes_encrypt(x, 'S3cret')"],
  ["select aes_decrypt(x, 'S3cret')"],
  ["call f(credential, 'S3cret')"],
  ["call f(authorisation, 'S3cret')"],
  ["create user a authentication 'S3cret'"],
  ["call f('Bearer S3cret')"],
  ['select pwd /* S3cret */'],
  ['select pwd # S3cret'],
  ['select pwd -- S3cret'],
])('no secret is left of %s', (sql) => {
  const hidden = hideStatementSecrets(sql);
  expect(hidden).not.toMatch(/S3cret|5333637265743/);
  expect(hidden).toContain('***');
  for (let end = sql.indexOf('S3cret') + 3; end > 3 && end < sql.length; end += 1) {
    expect(hideStatementSecrets(sql.slice(0, end)), `cut at ${end}`).not.toContain('S3c');
  }
});

test.each([
  ['select 1 /* AKIAIOSFODNN7EXAMPLE */', 'select 1 /* *** */'],
  ['select 1 /* eyJhbGciOiJFZ.eyJzdWIi.x-y */', 'select 1 /* *** */'],
  ["call s3('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY')", "call s3('***')"],
  ["select sleep(60) as slept, 'query 1'", "select sleep(60) as slept, 'query 1'"],
  ["select * from `a'b` where id = 'x' and c = \"d\"", "select * from `a'b` where id = 'x' and c = \"d\""],
])('a key is known by its form, and the rest stays: %s', (sql, expected) => {
  expect(hideStatementSecrets(sql)).toBe(expected);
});

test.each([
  [
    'admission webhook denied: env DB_PASSWORD=S3cret, image ok',
    'admission webhook denied: env DB_PASSWORD=***, image ok',
  ],
  ['{"token": "S3c ret"}', '{"token": ***}'],
  ["pwd: 'S3c ret' wrong", 'pwd: *** wrong'],
  ['pull: Authorization: Bearer S3cret denied', 'pull: Authorization: Bearer *** denied'],
  ['cannot pull https://bot:S3cret@registry/x', 'cannot pull https://***@registry/x'],
  ['denied ghp_S3cretS3cretS3', 'denied ***'],
  ['secret "db-password" not found; quota 2', 'secret "db-password" not found; quota 2'],
])('what a cluster says of a deployment hides secrets: %s', (message, shown) => {
  const condition = { type: 'Progressing', status: 'False', reason: 'Why', message };
  expect(obstaclesOf({ status: { conditions: [condition] } } as never)).toEqual([
    `发布卡住了（Why：${shown}）`,
  ]);
});

test('a secret is hidden before the sentence is cut, so that no half of it stays', () => {
  for (let before = 130; before < 170; before += 1) {
    const condition = {
      type: 'Progressing',
      status: 'False',
      reason: 'Why',
      message: `${'x'.repeat(before)} pw: //a:S3cret@b`,
    };
    expect(obstaclesOf({ status: { conditions: [condition] } } as never).join()).not.toContain('S3c');
  }
});

/** Secrets as clusters, databases and jobs say them; each is masked whole. */
const SECRET = [
  'password=S3cret-9x',
  'DB_PASSWORD: S3cret-9x',
  '"token":"S3cret-9x"',
  'token=S3cret-9x',
  'AZURE_STORAGE_KEY=S3cret-9x',
  'aws_secret_access_key = S3cret-9x',
  'clientSecret: S3cret-9x',
  "api-key: 'S3cret 9x'",
  'Authorization: Bearer S3cret-9x',
  'Authorization: Basic S3cret9x==',
  'curl with Bearer S3cret-9x',
  'postgres://app:S3cret-9x@db/shop',
  'eyJhbGciOiJFZERTQSJ9.eyJTM2NyZXQiOjF9.S3cret-9x',
  'AKIAS3CRETS3CRETS3CR',
  'ghp_S3cretS3cret9x',
  'S3cretUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  '-----BEGIN PRIVATE KEY-----\nS3cret-9x\n-----END PRIVATE KEY-----',
];
const masked = /S3cret|S3CRET/;

test.each(SECRET)('nobody reads a secret that a cluster or a database says: %s', async (secret) => {
  for (const text of [secret, `CrashLoop: ${secret}`, `${'x'.repeat(470)} ${secret}, and more`]) {
    const { context } = hostileTargets(text);
    const target = { unit: '电商', namespace: 'shop', name: 'web', instance: 'shop-db' };
    const input = { ...target, replicas: 3, id: '7', query: 'q:5' };
    const said: unknown[] = [];
    for (const read of ['k8s.deployments.list', 'k8s.pods.list', 'mysql.processlist'] as const)
      said.push(await inPlainLines<unknown>(readNamed(read).run(context, input)));
    for (const name of ['k8s.scale', 'k8s.restart', 'mysql.kill'] as const)
      said.push(await inPlainLines<unknown>(changeNamed(name).inspect(context, input)));
    const change = {
      id: '1',
      version: 'v',
      input,
      before: { replicas: 2 },
      after: { replicas: 3 },
      startedAt: 0,
    };
    for (const name of ['k8s.scale', 'k8s.restart'] as const) {
      said.push(await inPlainLines<unknown>(changeNamed(name).observe(context, change as never)));
      said.push(await inPlainLines<unknown>(changeNamed(name).reconcile(context, change as never)));
    }
    expect(JSON.stringify(said)).not.toMatch(masked);

    const options = { mayHaveHappened: false, cause: new Error(text, { cause: new Error(text) }) };
    const failure = new TargetFailed(`集群说：${text}`, options);
    await expect(inPlainLines(Promise.reject(failure))).rejects.not.toThrow(masked);
    const { message, stack, cause } = forLog(failure);
    const deeper = (cause as Error).cause as Error;
    const logged = [message, stack, (cause as Error).stack, `${cause}`, deeper.stack, `${deeper}`];
    expect(logged.join()).not.toMatch(masked);
  }
});

test.each([
  'registry.example/sso/keycloak:26.0',
  'registry.example/shop/token:v2@sha256:0b3f1e2d4c5b6a79880b3f1e2d4c5b6a79880b3f1e2d4c5b6a79880b3f1e2d4c',
  'tokenizer: 3 个就绪，secretary=ok',
  'exceeded quota: pods, requested: pods=1, used: pods=2, limited: pods=2',
  'Back-off 5m0s restarting failed container=web pod=web-7c9d9c5b8-x2x4z_shop(0f8fad5b-d9cb-469f-a165-70867728950e)',
  'secret "db-password" not found',
  "couldn't find key DB_PASSWORD in Secret shop/db",
  'spec.env[0].valueFrom.secretKeyRef.key: Required value',
  'spec.token: Invalid value: "x": must be 3 letters',
  "Access denied for user 'keypad'@'10.0.0.1' (using password: YES)",
  "Duplicate entry '7' for key 'PRIMARY'",
  'select * from cache where primary_key = 5 and a.key = b.key order by key',
  'https://registry.example/v2/shop/web/manifests/1.4.2',
  'Basic authentication is not enabled; use a Bearer token',
  '镜像：web:1 → web:2，2/3 就绪，已等 5 分钟',
])('what is no secret is left whole: %s', async (text) => {
  expect(await inPlainLines(Promise.resolve({ text, list: [text] }))).toEqual({ text, list: [text] });
});
