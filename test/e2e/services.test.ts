import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { until } from '../ops/ops-harness.ts';
import { type DemoOnCopies, startDemoOnCopies } from './demo-on-copies.ts';

/** The caches of the demo, by numbers: as `docs/operations.md` has its reader do it, and through crashes. */

let demo: DemoOnCopies;
beforeAll(async () => {
  demo = await startDemoOnCopies();
});
afterAll(() => demo?.stop());

const patiently = { timeout: 35_000, interval: 50 };
const codeIn = (screen: string): string => /确认码 (\d{4})/.exec(screen)?.[1] ?? 'no code';
const told = (user: string, text: string) => () =>
  demo.wecom.messages(user).filter((seen) => seen.direction === 'in' && seen.text.includes(text)).length;

test('a cache is listed and flushed by numbers, and only where the unit has the service', async () => {
  // The bot asks the platform once a second what there is; it may have started first.
  await until(async () => (await demo.say('zhangsan', '#', '你好', '电商', '3')).includes('1 缓存列表'));
  expect(await demo.say('zhangsan', '1')).toContain('goods 1280 条');
  const screen = await demo.say('zhangsan', '#', '1-3-2', '1');
  expect(screen).toContain('条目 1280 → 0');
  expect(await demo.say('zhangsan', codeIn(screen))).toContain('清空缓存 goods：已清空，1280 条');
  expect(await demo.say('zhangsan', '#', '1-3-1')).toContain('goods 0 条');
  expect(await demo.say('zhangsan', '#', '你好', '支付', '3')).not.toContain('缓存');
});

test('the two files of docs/operations.md bring an operation to the phone', async () => {
  const page = readFileSync('docs/operations.md', 'utf8');
  const files = [...page.matchAll(/`([\w./-]+-?empty\.(?:ts|yaml))`, new:\n\n```\w+\n([\s\S]*?)```/g)];
  expect(files.map(([, path]) => path)).toEqual(['operations/app/empty.yaml', 'menus/3-app/9-empty.ts']);
  for (const [, path = '', text = ''] of files) demo.write(path, text);
  const lines = files.map(([, , text = '']) => text.trimEnd().split('\n').length);
  expect(lines[0] ?? 0).toBeLessThan(40 - (lines[1] ?? 0));
  await until(async () => (await demo.say('wangwu', '#', '你好', '1', '3')).includes('9 清空一个缓存'));
  const screen = await demo.say('wangwu', '#', '1-3-9', 'price');
  expect(screen).toContain('条目 96 → 0');
  expect(await demo.say('wangwu', codeIn(screen))).toContain('清空一个缓存 price：96');
  // Nobody named it in a grant.
  expect(await demo.say('zhangsan', '#', '你好', '1', '3')).not.toContain('清空一个缓存');
});

test.each([
  ['before', '清空缓存 page-home：没有执行，平台中断过', 0],
  ['after', '清空缓存 page-home：已执行', 1],
] as const)(
  'kill -9 of ops with the service %s its effect: once at most, and the phone is told so',
  async (stage, text, more) => {
    const flushes = demo.caches.flushes();
    const screen = await demo.say('zhangsan', '#', '1-3-2', '3');
    const held = demo.caches.hold(stage);
    const answered = demo.wecom.say('zhangsan', codeIn(screen), { retryGapMs: 1000 });
    await held.reached;
    await demo.kill('ops');
    expect((await answered).reply).toContain('结果未知。查清后会马上告诉你');
    await demo.restart('ops');
    await vi.waitFor(() => expect(told('zhangsan', text)()).toBe(1), patiently);
    held.release();
    await until(async () => (await demo.say('zhangsan', '#', '1-3-1')).includes('page-home'));
    expect(demo.caches.flushes()).toBe(flushes + more);
  },
  60_000,
);

test('no log of any role has the token', () => {
  const token = readFileSync(demo.roleEnv.ops.CACHE_TOKEN_FILE ?? '', 'utf8').trim();
  expect(token).toHaveLength(40);
  for (const role of ['bot', 'ops', 'push']) {
    expect(readFileSync(join(demo.directory, 'logs', `${role}.log`), 'utf8')).not.toContain(token);
  }
});
