import { afterAll, expect, test } from 'vitest';
import { startBot } from '#test/bot.ts';
import { covers, createIdentity } from '../../src/bot/identity.ts';
import type { OpsClient } from '../../src/bot/ops-client.ts';
import { sentences } from '../../src/bot/sentences.ts';

const running = await startBot();
afterAll(running.stop);

test('without any right there is one sentence and no session', async () => {
  running.platform.script = ({ operation, user }) =>
    operation === 'me' && user === 'mallory' ? { state: 'done', output: {} } : undefined;
  for (const line of ['hi', '1', '1-1']) {
    expect((await running.wecom.say('mallory', line)).reply, line).toBe(sentences.noRights);
  }
});

test('who has no right makes no more questions to the platform than who has, and hears within 30 s of a new one', async () => {
  let now = 0;
  let units = {};
  let questions = 0;
  const refused: string[] = [];
  const ask = async () => {
    questions += 1;
    return units;
  };
  const { rightsOf } = createIdentity({
    client: { ask } as unknown as OpsClient,
    rightsBasis: () => 'policy/generation',
    now: () => now,
    onError: () => {},
    onNoRights: (user) => refused.push(user),
  });
  const caller = { user: 'mallory', departments: [], trace: 'E1234567' };
  for (let i = 0; i < 50; i += 1) await expect(rightsOf(caller)).rejects.toThrow(sentences.noRights);
  expect([questions, refused.length]).toEqual([1, 50]);
  units = { 电商: ['k8s.scale'] };
  now += 30_000;
  expect([...(await rightsOf(caller)).keys()]).toEqual(['电商']);
  expect(questions).toBe(2);
});

test('who may do nothing as far as one knows, while nobody says their department, is not told to have no rights', async () => {
  const refused: string[] = [];
  const { rightsOf } = createIdentity({
    client: { ask: async () => ({}) } as unknown as OpsClient,
    rightsBasis: () => 'policy/generation',
    now: () => 0,
    onError: () => {},
    onNoRights: (user) => refused.push(user),
  });
  const caller = { user: 'lisi', departments: undefined, trace: 'E1234567' };
  await expect(rightsOf(caller)).rejects.toThrow(sentences.departmentsUnknown);
  expect(refused).toEqual([]);
  await expect(rightsOf({ ...caller, departments: [7] })).rejects.toThrow(sentences.noRights);
});

test('rights that were asked for without a department are not those with it', async () => {
  const { rightsOf } = createIdentity({
    client: {
      ask: async ({ departments }: { departments?: readonly number[] }) =>
        departments?.includes(7) ? { 电商: ['k8s.scale'], 支付: ['k8s.scale'] } : { 电商: ['k8s.scale'] },
    } as unknown as OpsClient,
    rightsBasis: () => 'policy/generation',
    now: () => 0,
    onError: () => {},
    onNoRights: () => {},
  });
  const caller = { user: 'lisi', trace: 'E1234567' };
  expect((await rightsOf({ ...caller, departments: undefined })).size).toBe(1);
  expect((await rightsOf({ ...caller, departments: [7] })).size).toBe(2);
});

test('while the platform cannot be asked, nothing is shown but a sentence', async () => {
  running.platform.script = () => 'hang';
  expect((await running.wecom.say('lisi', 'hi')).reply).toBe(sentences.platformDown);
});

test('a right counts in its unit, and before a unit is chosen in any', () => {
  const rights = new Map([
    ['电商', new Set(['k8s.scale'])],
    ['支付', new Set(['mysql.kill'])],
  ]);
  expect(covers(rights, 'k8s.scale', undefined)).toBe(true);
  expect(covers(rights, 'k8s.scale', '电商')).toBe(true);
  expect(covers(rights, 'k8s.scale', '支付')).toBe(false);
  expect(covers(rights, 'k8s.scale', '不存在')).toBe(false);
  expect(covers(rights, 'k8s.scale', { toString: () => '电商' })).toBe(false);
});

test('a refusal of the platform is the sentence the user reads', async () => {
  running.platform.script = ({ operation }) =>
    operation === 'me' ? { state: 'refused', reason: 'policy', message: '没有权限' } : undefined;
  expect((await running.wecom.say('wangwu', 'hi')).reply).toBe('没有权限');
});
