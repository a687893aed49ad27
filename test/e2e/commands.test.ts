import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { until } from '../ops/ops-harness.ts';
import { type DemoOnCopies, startDemoOnCopies } from './demo-on-copies.ts';

/** The programs of the demo, by numbers: as `docs/operations.md` has its reader do it, and through a crash. */

let demo: DemoOnCopies;
beforeAll(async () => {
  demo = await startDemoOnCopies();
});
afterAll(() => demo?.stop());

const told = (user: string, text: string) => () =>
  demo.wecom.messages(user).filter((seen) => seen.direction === 'in' && seen.text.includes(text)).length;

test('a program is run and answers its lines, and a script with what is typed; no line of it looks like a choice', async () => {
  await until(async () => (await demo.say('zhangsan', '#', '你好', '电商')).includes('4 主机'));
  expect(await demo.say('zhangsan', '4', '1')).toMatch(/Filesystem .*Mounted on\n.* \/$/m);
  const screen = await demo.say('zhangsan', '#', '1-4-2', '1 确认', '2', '00');
  expect(screen).toContain('哪个应用：1 确认');
  expect(await demo.say('zhangsan', '1')).toContain(
    '轮换日志 1 确认 的日志：轮换好了\n│ 1 确认.log.1 → 1 确认.log.2\n│ 1 确认.log.0 → 1 确认.log.1',
  );
});

test('the two files of docs/operations.md bring an operation to the phone', async () => {
  const page = readFileSync('docs/operations.md', 'utf8');
  const files = [...page.matchAll(/`([\w./-]+[-/]user\.(?:ts|yaml))`, new:\n\n```\w+\n([\s\S]*?)```/g)];
  expect(files.map(([, path]) => path)).toEqual(['operations/host/user.yaml', 'menus/4-host/9-user.ts']);
  for (const [, path = '', text = ''] of files) demo.write(path, text);
  await until(async () => (await demo.say('wangwu', '#', '你好', '1', '4')).includes('9 查系统用户'));
  expect(await demo.say('wangwu', '#', '1-4-9', 'root')).toContain('root:x:0:0:');
  expect(await demo.say('wangwu', '#', '1-4-9', '$(id)')).toContain('没有这个用户');
  expect(await demo.say('wangwu', '#', '1-4-9', '--help')).toContain('「--help」不能以 - 开头');
  // Nobody named it in a grant.
  expect(await demo.say('zhangsan', '#', '你好', '1', '4')).not.toContain('查系统用户');
});

test('kill -9 of ops while a script runs: the phone is told that it was interrupted, and another one may begin', async () => {
  await demo.say('zhangsan', '#', '1-4-2', 'web', '2', '200');
  expect(await demo.say('zhangsan', '1')).toContain('已提交：轮换日志 web 的日志');
  // Only one may run.
  expect(await demo.say('wangwu', '#', '1-4-2', 'cart', '2', '00')).toContain('同时最多 1 个');
  await demo.kill('ops');
  await demo.restart('ops');
  await vi.waitUntil(
    told('zhangsan', '轮换日志 web 的日志：结果不明，平台中断过，脚本被中止，可能只做了一部分'),
    {
      timeout: 45_000,
      interval: 100,
    },
  );
  await demo.say('wangwu', '#', '1-4-2', 'cart', '2', '00');
  expect(await demo.say('wangwu', '1')).toContain('轮换日志 cart 的日志：轮换好了');
}, 90_000);
