import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Answered } from '#test/push-replica.ts';
import { type PushRole, startPushRole } from '#test/push-role.ts';
import { size } from '#test/size.ts';
import { handedOut, users } from '../campaigns/campaign-harness.ts';

const TOTAL = size(12_000, 100_000);
/** Members whom WeCom does not reach. */
const unlicensed = [...users(TOTAL)].filter((_, index) => index % 500 === 7);
/** Campaigns keep so many deliveries open at most. */
const MOST_OPEN = 2000;
const patiently = { timeout: 240_000, interval: 500 };

let role: PushRole;
beforeAll(async () => {
  role = await startPushRole({ wecom: { unlicensed, memberLimits: [] } });
  for (const [key, text] of Object.entries({ all: 'hello', bonus: `\${USERID} \${AMOUNT:text} \${UNIT}` })) {
    await role.first.ask(`PUT /v1/templates/${key}`, { json: { title: key, content: { text } } });
  }
});
afterAll(() => role.stop());

async function make(head: object, receivers: Iterable<unknown>): Promise<string> {
  const lines = [{ name: 'a', start: true, ...head }, ...receivers].map((line) => JSON.stringify(line));
  const { status, body } = await role.first.ask('POST /v1/campaigns', {
    bytes: `${lines.join('\n')}\n`,
    contentType: 'application/x-ndjson',
  });
  expect(status).toBe(201);
  return body.id;
}
/** Orders and looks at the replica that did not take it in. */
const order = (id: string, command: string): Promise<Answered> =>
  role.second.ask(`POST /v1/campaigns/${id}/${command}`);
const look = async (id: string) => (await role.second.ask(`GET /v1/campaigns/${id}`)).body;
const memory = (): number => Math.max(role.first.memory(), role.second.memory());

test(`${TOTAL} receivers, paused at about 40 % and resumed: success + failed = total, nobody twice, memory flat`, async () => {
  let [mostMemory, mostOpen] = [0, 0];
  const progress = async (id: string) => {
    const { state, progress } = await look(id);
    mostMemory = Math.max(mostMemory, memory());
    mostOpen = Math.max(mostOpen, progress.queued);
    return { state, ...progress };
  };
  // So that a pause comes in its middle, however fast the machine is.
  role.wecom.setFaults([{ api: 'message/send', delayMs: 400, times: 'always' }]);
  const id = await make({ template: { key: 'all' } }, users(TOTAL));
  await expect.poll(async () => (await progress(id)).sent, patiently).toBeGreaterThan(0.38 * TOTAL);
  expect(await order(id, 'pause')).toMatchObject({ status: 200, body: { state: 'paused' } });
  // Only what was being sent at that moment still arrives.
  await expect.poll(async () => (await progress(id)).queued, patiently).toBe(0);
  const untilPause = mostMemory;
  const atRest = role.wecom.arrivals.totals().shown;
  // Two messages of a thousand each may be under way, and a third may have ended before anybody looked.
  expect(atRest).toBeLessThan(0.45 * TOTAL + 3000);
  const { sent, failed, waiting } = await progress(id);
  expect([sent, sent + failed + waiting]).toEqual([atRest, TOTAL]);

  role.wecom.setFaults([]);
  expect(await order(id, 'resume')).toMatchObject({ status: 200, body: { state: 'running' } });
  await expect.poll(async () => (await progress(id)).state, patiently).toBe('done');
  expect(await progress(id)).toMatchObject({
    ...{ total: TOTAL, sent: TOTAL - unlicensed.length, failed: unlicensed.length },
    ...{ queued: 0, waiting: 0, byErrcode: { 81013: unlicensed.length } },
  });
  const { shown, mostForOne, repeats } = role.wecom.arrivals.totals();
  expect({ shown, mostForOne, repeats }).toEqual({
    shown: TOTAL - unlicensed.length,
    mostForOne: 1,
    repeats: 0,
  });
  const counts = await handedOut(role.db);
  expect([counts.size, new Set(counts.values())]).toEqual([TOTAL, new Set([1])]);
  expect(mostOpen).toBeLessThanOrEqual(MOST_OPEN);
  // What grew with the receivers would grow on; that a collector is late is nothing that grows.
  expect(mostMemory - untilPause).toBeLessThan(150);
}, 500_000);

test('each receiver gets the words meant for them, literally, also after a pause', async () => {
  role.wecom.arrivals.clear();
  const template = { key: 'bonus', variables: { UNIT: '元 $1' } };
  const receivers = [...users(600)].map((user) => ({ user, variables: { AMOUNT: `"\\${user}\n` } }));
  const id = await make({ template }, receivers);
  await expect.poll(async () => (await look(id)).progress.sent, patiently).toBeGreaterThan(50);
  await order(id, 'pause');
  await order(id, 'resume');
  await expect.poll(async () => (await look(id)).state, patiently).toBe('done');
  // A call whose answer came too late on a busy machine is repeated, and dropped by WeCom.
  const shown = role.wecom.arrivals.list().filter(({ dropped }) => dropped === undefined);
  const texts = shown.map(({ receiver, text }) => [receiver, text]);
  const reached = receivers.filter(({ user }) => !unlicensed.includes(user));
  expect(texts.sort()).toEqual(reached.map(({ user }) => [user, `${user} "\\${user}\n 元 $1`]).sort());
}, 120_000);

test('a campaign with a time begins then, once, however many replicas wait for it', async () => {
  role.wecom.arrivals.clear();
  const at = new Date(Date.now() + 2000).toISOString();
  const id = await make({ template: { key: 'all' }, schedule: { at } }, ['anna', 'bert']);
  expect((await look(id)).state).toBe('scheduled');
  await expect.poll(async () => (await look(id)).state, patiently).toBe('done');
  const arrived = role.wecom.arrivals.list();
  expect(arrived.map(({ receiver }) => receiver).sort()).toEqual(['anna', 'bert']);
  expect(Math.min(...arrived.map(({ time }) => time))).toBeGreaterThanOrEqual(Date.parse(at));
}, 60_000);
