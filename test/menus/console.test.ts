import { expect, test } from 'vitest';
import { fakeOps, phoneWith } from '#test/phone.ts';

const url = 'https://push.internal:9083/console/login#eyJ';

test('an admin reads a link to the queues, how long it is good, and that it works once', async () => {
  const ops = fakeOps({ 'units.list': () => ['电商'], 'push.console': () => ({ url, minutes: 5 }) });
  const phone = await phoneWith('menus', { ops });
  const reply = await phone.say('1', '8');
  expect(reply).toContain(`\n${url}\n`);
  expect(reply).toContain('5 分钟内有效，只能打开一次');
  expect(ops.calls.at(-1)).toEqual(['push.console', { unit: '电商' }]);
});

test('who may not open the queue view does not see the entry', async () => {
  const phone = await phoneWith('menus', { ops: fakeOps({ 'units.list': () => ['电商'] }) });
  expect(await phone.say('1')).not.toContain('控制台');
  expect(await phone.say('8')).toContain('没有选项 8');
});
