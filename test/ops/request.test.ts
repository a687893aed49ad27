import { createHmac, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSecret } from '../../src/config.ts';
import { makeKeyPair, readSigningKey, readVerifyingKeys } from '../../src/contract/keys.ts';
import { signToken } from '../../src/contract/token.ts';
import { createOps } from '../../src/ops/app.ts';
import { verifyAudit } from '../../src/ops/audit/audit.ts';
import { openDatabase } from '../../src/ops/database.ts';
import { createLog } from '../../src/server/log.ts';
import { createRegistry } from '../../src/server/metrics.ts';
import {
  AUDIT_KEY,
  CACHE_TOKEN,
  COMMAND_USER,
  type OpsHarness,
  openOpsHarness,
  type Replica,
  signedRequest,
} from './ops-harness.ts';

let harness: OpsHarness;
let ops: Replica;
beforeAll(async () => {
  harness = await openOpsHarness();
  ops = await harness.startReplica({ allowedSources: ['10.1.0.0/16'], trustedProxies: ['10.9.9.9'] });
});
afterAll(() => harness.stop());

type Signed = Awaited<ReturnType<typeof signedRequest>>;

/** Sends a request from an address and answers its status and body. */
async function send(request: Signed, from: { address?: string; forwardedFor?: string } = {}) {
  const { address = '10.1.2.3', forwardedFor } = from;
  const headers = { ...request.headers, ...(forwardedFor && { 'x-forwarded-for': forwardedFor }) };
  const response = await ops.app.inject({ ...request, headers, remoteAddress: address });
  return { status: response.statusCode, ...(response.json() as Record<string, unknown>) };
}

async function lastAudit(): Promise<Record<string, unknown> | undefined> {
  return (await harness.sql('select * from audit order by seq desc limit 1'))[0];
}

describe('the source address', () => {
  test.each([
    ['a bot', { address: '10.1.2.3' }, 200],
    ['a bot as IPv4-mapped IPv6', { address: '::ffff:10.1.2.3' }, 200],
    ['a stranger', { address: '203.0.113.9' }, 403],
    ['a stranger who claims to be the bot', { address: '203.0.113.9', forwardedFor: '10.1.2.3' }, 403],
    ['the bot behind the proxy', { address: '10.9.9.9', forwardedFor: '10.1.2.3' }, 200],
    ['a stranger behind the proxy', { address: '10.9.9.9', forwardedFor: '203.0.113.9' }, 403],
    [
      'a stranger behind the proxy who claims to be the bot',
      { address: '10.9.9.9', forwardedFor: '10.1.2.3, 203.0.113.9' },
      403,
    ],
    ['the proxy itself', { address: '10.9.9.9' }, 403],
    ['garbage behind the proxy', { address: '10.9.9.9', forwardedFor: 'x' }, 403],
  ])('of %s', async (_who, from, status) => {
    const answered = await send(await signedRequest('me', {}), from);
    expect(answered).toMatchObject(
      status === 200 ? { status } : { status, state: 'refused', reason: 'source' },
    );
  });

  test('is looked at before anything else: a stranger is told nothing about the rest', async () => {
    const request = await signedRequest('me', {});
    const huge = { ...request, payload: 'x'.repeat(100_000) };
    expect(await send(huge, { address: '203.0.113.9' })).toMatchObject({ status: 403, reason: 'source' });
    const elsewhere = { ...request, url: '/nowhere' };
    expect(await send(elsewhere, { address: '203.0.113.9' })).toMatchObject({
      status: 403,
      reason: 'source',
    });
  });
});

test('what a person may not do is no warning, and what is wrong with a request is one', async () => {
  const denied = await send(
    await signedRequest('k8s.deployments.list', { unit: 'shop' }, { user: 'nobody' }),
  );
  expect(denied).toMatchObject({ status: 403, reason: 'policy' });
  expect(ops.logged.at(-1)).toMatchObject({ level: 'info', msg: 'answered', reason: 'policy' });
  const broken = await send(await signedRequest('me', { unknown: 1 }));
  expect(broken).toMatchObject({ status: 400, reason: 'input' });
  expect(ops.logged.at(-1)).toMatchObject({ level: 'warn', msg: 'refused', path: '/v1/operations/me' });
});

describe('a token', () => {
  test('is good once, on whichever replica', async () => {
    const request = await signedRequest('me', {});
    expect(await send(request)).toMatchObject({ status: 200, state: 'done' });
    expect(await send(request)).toMatchObject({ status: 403, reason: 'replay' });
    const second = await harness.startReplica();
    expect((await second.app.inject(request)).json()).toMatchObject({ reason: 'replay' });
    expect(await lastAudit()).toMatchObject({
      user: 'zhangsan',
      outcome: 'denied',
      reason: expect.stringMatching(/^replay/),
    });
  });

  test('is good once when many come at the same time', async () => {
    const request = await signedRequest('me', {});
    const statuses = await Promise.all(Array.from({ length: 10 }, async () => (await send(request)).status));
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
  });

  test('is remembered past its end, and then forgotten', async () => {
    const remembered = async () =>
      (await harness.sql('select count(*) as n from seen_tokens'))[0]?.n as number;
    await send(await signedRequest('me', {}));
    harness.clock.pass(61_000);
    await ops.sweep();
    expect(await remembered()).toBeGreaterThan(0);
    harness.clock.pass(120_000);
    await ops.sweep();
    expect(await remembered()).toBe(0);
    harness.clock.pass(-181_000);
  });

  const spoiled: readonly (readonly [string, () => Promise<Signed>])[] = [
    [
      'that is missing',
      async () => {
        const { headers, ...request } = await signedRequest('me', {});
        return { ...request, headers: { ...headers, authorization: '' } };
      },
    ],
    ['for another body', async () => ({ ...(await signedRequest('me', {})), payload: '{ }' })],
    [
      'for another operation',
      async () => ({ ...(await signedRequest('me', {})), url: '/v1/operations/units.list' }),
    ],
    [
      'for a preview, used to run',
      async () => {
        const request = await signedRequest('k8s.restart/preview', {});
        return { ...request, url: '/v1/operations/k8s.restart' };
      },
    ],
    ['that expired', async () => signedRequest('me', {}, { now: Date.now() - 61_000 })],
    ['from the future', async () => signedRequest('me', {}, { now: Date.now() + 10_000 })],
    [
      'by an unknown key',
      async () => {
        const request = await signedRequest('me', {});
        const stranger = readSigningKey((await makeKeyPair()).signingKey);
        const claims = {
          subject: 'zhangsan',
          operation: 'me',
          body: '{}',
          id: randomUUID(),
          now: Date.now(),
        };
        return {
          ...request,
          headers: { ...request.headers, authorization: `Bearer ${await signToken(stranger, claims)}` },
        };
      },
    ],
    [
      'with alg none',
      async () => {
        const request = await signedRequest('me', {});
        const [header, payload] = request.headers.authorization.slice(7).split('.');
        const { kid } = JSON.parse(Buffer.from(header ?? '', 'base64url').toString());
        const none = Buffer.from(JSON.stringify({ alg: 'none', kid })).toString('base64url');
        return { ...request, headers: { ...request.headers, authorization: `Bearer ${none}.${payload}.` } };
      },
    ],
    [
      'signed with HS256',
      async () => {
        const request = await signedRequest('me', {});
        const [header, payload] = request.headers.authorization.slice(7).split('.');
        const { kid } = JSON.parse(Buffer.from(header ?? '', 'base64url').toString());
        const signed = `${Buffer.from(JSON.stringify({ alg: 'HS256', kid })).toString('base64url')}.${payload}`;
        const mac = createHmac('sha256', kid).update(signed).digest('base64url');
        return { ...request, headers: { ...request.headers, authorization: `Bearer ${signed}.${mac}` } };
      },
    ],
  ];
  test.each(spoiled)('%s is refused and recorded', async (_what, request) => {
    expect(await send(await request())).toMatchObject({ status: 403, state: 'refused', reason: 'token' });
    expect(await lastAudit()).toMatchObject({
      outcome: 'denied',
      reason: expect.stringMatching(/^token/),
      source: '10.1.2.3',
      user: '',
    });
  });
});

test('however often somebody without a good token knocks, the audit has two rows a minute of it', async () => {
  const used = await signedRequest('me', {});
  const bare = { ...used, headers: { ...used.headers, authorization: '' } };
  await send(used);
  const address = '10.1.7.7';
  const rows = () => harness.sql('select user, reason from audit where source = ? order by seq', [address]);
  for (let index = 0; index < 50; index += 1) {
    expect(await send(bare, { address })).toMatchObject({ status: 403, reason: 'token' });
    expect(await send(used, { address })).toMatchObject({ status: 403, reason: 'replay' });
  }
  expect(await rows()).toHaveLength(2);
  harness.clock.pass(600_000);
  await ops.sweep();
  harness.clock.pass(-600_000);
  expect((await rows()).slice(2)).toEqual([
    { user: '', reason: expect.stringMatching(/^token: .+: 49 more in a minute$/) },
    { user: 'zhangsan', reason: expect.stringMatching(/^replay: .+: 49 more in a minute$/) },
  ]);
});

describe('a request', () => {
  const bad: readonly (readonly [string, string, unknown, number, string])[] = [
    ['for an operation that nobody knows', 'k8s.explode', {}, 404, 'missing'],
    ['for what every object has', 'constructor', {}, 404, 'missing'],
    ['with an input of another shape', 'k8s.deployments.list', { unit: 1 }, 400, 'input'],
    ['with more than the contract allows', 'me', { admin: true }, 400, 'input'],
    ['for the preview of a read', 'me/preview', {}, 400, 'input'],
    [
      'to run without a preview',
      'k8s.restart',
      { unit: '电商', namespace: 'shop', name: 'web' },
      400,
      'input',
    ],
    [
      'for too many replicas',
      'k8s.scale/preview',
      { unit: '电商', namespace: 'shop', name: 'web', replicas: 1001 },
      400,
      'input',
    ],
    [
      'for a name that is a path',
      'k8s.restart/preview',
      { unit: '电商', namespace: 'shop', name: '../web' },
      400,
      'input',
    ],
  ];
  test.each(bad)('%s is refused', async (_what, path, body, status, reason) => {
    expect(await send(await signedRequest(path, body))).toMatchObject({ status, state: 'refused', reason });
  });

  test('that is no JSON is refused after its token was looked at', async () => {
    const request = await signedRequest('me', {});
    expect(await send({ ...request, payload: 'x' })).toMatchObject({ status: 403, reason: 'token' });
  });

  test('over 64 KiB is refused', async () => {
    const request = await signedRequest('me', { x: 'x'.repeat(66_000) });
    expect(await send(request)).toMatchObject({ status: 413, reason: 'input' });
  });

  test('of another type is refused', async () => {
    const request = await signedRequest('me', {});
    const headers = { ...request.headers, 'content-type': 'text/plain' };
    expect(await send({ ...request, headers })).toMatchObject({ status: 415, reason: 'input' });
  });

  test('leaves a chain of rows: allowed, then how it ended', async () => {
    await send(await signedRequest('k8s.deployments.list', { unit: '电商' }));
    const rows = await harness.sql('select * from audit order by seq desc limit 2');
    expect(rows).toMatchObject([
      {
        user: 'zhangsan',
        operation: 'k8s.deployments.list',
        unit: '电商',
        outcome: 'done',
        source: '10.1.2.3',
      },
      { outcome: 'allowed', input: '{"unit":"电商"}', jti: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    ]);
    const db = openDatabase(harness.mysqlUrl);
    expect((await verifyAudit(db, AUDIT_KEY)).problems).toEqual([]);
    await db.destroy();
  });

  test('that meets a bug of ours is answered with a number, and with nothing of the bug', async () => {
    const lone = await openOpsHarness();
    const replica = await lone.startReplica();
    await lone.sql('drop table seen_tokens');
    const response = await replica.app.inject(await signedRequest('me', {}));
    expect(response.statusCode).toBe(500);
    expect(response.json()).toEqual({
      state: 'error',
      message: expect.stringMatching(/^出错了，编号 [0-9a-f]{8}。没有执行任何操作，.*把编号发给运维负责人$/),
    });
    expect(await lone.sql('select outcome, user from audit')).toEqual([
      { outcome: 'failed', user: 'zhangsan' },
    ]);
    await lone.stop();
  });
});

test('a platform does not start with a database that is away, and says which setting to mend', async () => {
  const { verifyingKeys } = await makeKeyPair();
  const config = {
    allowedSources: ['127.0.0.1'],
    trustedProxies: [],
    verifyingKeys: readVerifyingKeys(verifyingKeys),
    policyFile: harness.policyFile,
    mysqlUrl: createSecret('mysql://root:password@127.0.0.1:1/keypad'),
    kubeconfig: `${harness.directory}/kubeconfig`,
    pluginEnvironment: createSecret({ CACHE_TOKEN }),
    mysqlTargets: createSecret({ 'shop-db': harness.serverUrl, 'pay-db': harness.serverUrl }),
    operationsDir: 'operations',
    commandUser: COMMAND_USER,
    auditKey: createSecret(AUDIT_KEY),
    adoptsRows: false,
    pushUrl: 'http://127.0.0.1:1',
    pushAppId: 'keypad-ops',
    pushAppKey: createSecret('k'.repeat(43)),
  };
  const log = createLog({ level: 'silent' });
  const started = createOps({ config, log, registry: createRegistry() });
  await expect(started).rejects.toThrow(/^MYSQL_URL: .*ECONNREFUSED(?!.*password)/);
});
