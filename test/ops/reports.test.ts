import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OpsHarness, openOpsHarness, type Replica, signedReport } from './ops-harness.ts';

let harness: OpsHarness;
let ops: Replica;
let other: Replica;
beforeAll(async () => {
  harness = await openOpsHarness();
  ops = await harness.startReplica();
  other = await harness.startReplica();
});
afterAll(() => harness.stop());

const refusal = { user: 'Mallory', kind: 'hidden', at: '3-hidden.ts', count: 7 };
const nothing = { refusals: [], problems: [] };
const signed = (body: unknown, subject?: string) =>
  signedReport(body, { now: harness.clock.now(), ...(subject !== undefined && { subject }) });
const lastAudit = async () => (await harness.sql('select * from audit order by seq desc limit 1'))[0];
const send = async (request: Awaited<ReturnType<typeof signed>>, to = ops) =>
  (await to.app.inject(request)).json() as Record<string, unknown>;

test('refusals of the bot stand in the audit, each row with its user, its place and how often', async () => {
  expect(await send(await signed({ ...nothing, refusals: [refusal] }))).toEqual({ state: 'done' });
  expect(await lastAudit()).toMatchObject({
    outcome: 'denied',
    operation: 'reports',
    user: 'mallory',
    target: '3-hidden.ts',
    reason: 'bot: hidden: 7 times',
    source: '127.0.0.1',
  });
  const several = { kind: 'stale', at: '', count: 900 };
  await send(await signed({ ...nothing, refusals: [several] }));
  expect(await lastAudit()).toMatchObject({ user: '', reason: 'bot: stale: 900 times, by several users' });
});

test('where a person typed something strange, the audit has it in one line', async () => {
  await send(await signed({ ...nothing, refusals: [{ ...refusal, at: '1-x\n2026 allowed\u202e' }] }));
  expect(await lastAudit()).toMatchObject({ target: '1-x↵2026 allowed[U+202E]' });
});

test('problems of files forge no line of the notice that tells of them', async () => {
  await send(await signed({ ...nothing, problems: ['a.ts: \n1 确认\n0 返回\u202e', '1 b'] }));
  await ops.sweep();
  const heard = harness.push.told('wangwu').find((text) => text.includes('a.ts'));
  expect(heard?.split('\n').slice(1, -1)).toEqual(['· a.ts: ↵1 确认↵0 返回[U+202E]', '· 1 b']);
});

test('a report is taken once', async () => {
  const request = await signed(nothing);
  expect(await send(request)).toEqual({ state: 'done' });
  expect(await send(request, other)).toMatchObject({ state: 'refused', reason: 'replay' });
  expect(await lastAudit()).toMatchObject({ outcome: 'denied', operation: 'reports' });
});

test.each([
  ['another body than was signed', (r: Signed) => ({ ...r, payload: JSON.stringify({ ...nothing, a: 1 }) })],
  ['no token', (r: Signed) => ({ ...r, headers: { ...r.headers, authorization: '' } })],
])('with %s it is refused, and that stands in the audit', async (_, spoil) => {
  const before = await harness.sql('select count(*) n from audit');
  const answered = await send(spoil(await signed({ ...nothing, refusals: [refusal] })) as Signed);
  expect(answered).toMatchObject({ state: 'refused', reason: 'token' });
  expect(Number((await harness.sql('select count(*) n from audit'))[0]?.n)).toBe(Number(before[0]?.n) + 1);
});
type Signed = Awaited<ReturnType<typeof signed>>;

test('a token of a user reports nothing, and the token of a report runs nothing', async () => {
  expect(await send(await signed(nothing, 'wangwu'))).toMatchObject({ reason: 'token' });
  const request = await signed({});
  expect(await send({ ...request, url: '/v1/operations/units.list' })).toMatchObject({ reason: 'token' });
  expect(await send({ ...request, url: '/v1/operations/reports' })).toMatchObject({ state: 'refused' });
});

test.each([
  ['101 refusals', { ...nothing, refusals: Array(101).fill(refusal) }],
  ['a user of no channel', { ...nothing, refusals: [{ ...refusal, user: 'a b' }] }],
  ['a kind that is not known', { ...nothing, refusals: [{ ...refusal, kind: 'granted' }] }],
  ['a field that it does not have', { ...nothing, operation: 'k8s.scale' }],
])('with %s it is refused as a whole', async (_, body) => {
  expect(await send(await signed(body))).toMatchObject({ state: 'refused', reason: 'input' });
});

test('of problems the admins hear once a day, whoever reports them and however often', async () => {
  const problems = ['1-kubernetes/2-scale.ts: has no title'];
  for (const replica of [ops, other, ops]) {
    await send(await signed({ ...nothing, problems }), replica);
    await replica.sweep();
  }
  const heard = harness.push.told('wangwu').filter((text) => text.includes('1-kubernetes/2-scale.ts'));
  expect(heard).toEqual([
    '改动有错，没有生效，原来的继续使用：\n· 1-kubernetes/2-scale.ts: has no title\n改好后会自动生效。',
  ]);
  expect(harness.push.told('zhangsan')).toEqual([]);
});
