import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBot, type TestBot } from '#test/bot.ts';
import type { Report } from '../../src/contract/report.ts';

const folder = mkdtempSync(join(tmpdir(), 'keypad-menus-'));
const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
const entry = (title: string) =>
  `import { action } from '#menu';\nexport default action({ title: '${title}', run: () => 'ok' });\n`;
let running: TestBot;

beforeAll(async () => {
  write('index.ts', `import { folder } from '#menu';\nexport default folder({ title: '首页' });\n`);
  write('1-a.ts', entry('旧'));
  running = await startBot({ MENUS_DIR: folder });
});
afterAll(async () => {
  await running.stop();
  rmSync(folder, { recursive: true });
});

test('a changed menu file is served without a restart and without a signal', async () => {
  const loaded = () => running.lines.filter((line) => line.includes('menus loaded')).length;
  expect(loaded()).toBe(1);
  write('1-a.ts', entry('新'));
  await expect.poll(loaded, { timeout: 5000 }).toBe(2);
});

test('a refused change shows in the metrics until the file is good again, also when it is as it was', async () => {
  const shown = async () => /keypad_reload_refused\{what="menus"\} (\d)/.exec(await running.metrics())?.[1];
  expect(await shown()).toBe('0');
  write('1-a.ts', 'export default 1;');
  await running.bot.reload();
  expect(await shown()).toBe('1');
  const reported = () =>
    running.platform.calls.find(({ operation }) => operation === 'reports')?.body as Report | undefined;
  await expect.poll(() => reported()?.problems[0]).toContain('1-a.ts: has no default export');
  write('1-a.ts', entry('新'));
  await running.bot.reload();
  expect(await shown()).toBe('0');
});

test('an entry that never ends costs its own message, is named in the log and to the admins, and others go on', async () => {
  write('1-a.ts', entry('好'));
  write(
    '2-b.ts',
    `import { action } from '#menu';\nexport default action({ title: '坏', run: () => { for (;;); } });\n`,
  );
  await running.bot.reload();
  const { wecom, platform } = running;
  for (const user of ['lisi', 'wangwu']) await wecom.say(user, 'hi');
  const [bad, good] = await Promise.all([wecom.say('lisi', '2'), wecom.say('wangwu', '1')]);
  expect(bad.reply).toContain('这一项的程序出了问题，已被停下，没有执行任何操作。');
  expect(good.reply).toContain('ok');
  expect((await wecom.say('lisi', '1')).reply).toContain('ok');
  const stopped = running.lines.filter((line) => line.includes('a function of the menus was stopped'));
  expect(stopped.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ folder, file: '2-b.ts', why: 'it took over 2 s' }),
  ]);
  const problems = () =>
    platform.calls
      .filter(({ operation }) => operation === 'reports')
      .flatMap(({ body }) => (body as Report).problems);
  await expect.poll(problems).toContain('2-b.ts: was stopped while it ran: it took over 2 s');
});

test("an entry cannot write the platform's own records, nor ask past the names of operations", async () => {
  const tried = [
    "'operation.settle', { id: 'c7d8f7a0-54f5-4f0b-9d5e-0a2f7f5d3c11' }",
    "'k8s.scale/preview', {}",
    "'../reports', {}",
  ];
  const calls = tried.map((each) => `ops.call(${each}).catch((error) => error.message)`);
  write(
    '2-b.ts',
    `import { action } from '#menu';\nexport default action({ title: '坏', run: async ({ ops }) => (await Promise.all([${calls}])).join(' | ') });\n`,
  );
  await running.bot.reload();
  const { wecom, platform, lines } = running;
  await wecom.say('zhangsan', 'hi');
  const before = platform.calls.length;
  const { reply } = await wecom.say('zhangsan', '2');
  expect(reply).toContain(
    'the platform could not be asked | "k8s.scale/preview" is no name of a read | "../reports"',
  );
  const asked = platform.calls.slice(before).map(({ operation }) => operation);
  expect(asked.filter((name) => !['me', 'catalogue'].includes(name))).toEqual([]);
  expect(lines.join('')).not.toContain('a message broke');
});
