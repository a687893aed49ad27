import { expect, test } from 'vitest';
import { fakeOps, phoneWith } from '#test/phone.ts';
import { treeOf } from '#test/tree.ts';
import { action, choice, folder } from '../../src/menu/index.ts';
import { sentences } from '../../src/menu/words/sentences.ts';
import { bytesOf } from '../../src/menu/words/text.ts';

async function listing(names: readonly string[]) {
  const options = names.map((name) => ({ key: `shop/${name}`, label: `${name}  2/3 就绪`, name }));
  const menu = treeOf({
    'index.ts': folder({ title: '首页' }),
    '1-pick.ts': action({
      title: '选',
      ask: { one: choice('选', async () => options) },
      run: (_, { one }) => `chose ${(one as { key: string }).key}.`,
    }),
  });
  const phone = await phoneWith(menu, { ops: fakeOps({}) });
  return { phone, reply: await phone.say('1') };
}

test.each([
  ['at their end', (end: string) => `order-service-production-canary-${'x'.repeat(60)}-${end}`],
  ['at their start', (end: string) => `${end}-${'x'.repeat(80)}`],
  ['in their middle', (end: string) => `${'x'.repeat(60)}-${end}-${'y'.repeat(60)}`],
])('long names that differ only %s stay different, with their state', async (_, nameOf) => {
  const { reply } = await listing([nameOf('a'), nameOf('b'), 'web']);
  const lines = reply.split('\n').filter((line) => /^[123] /.test(line));
  expect(lines).toHaveLength(3);
  expect(new Set(lines.map((line) => line.slice(2))).size).toBe(3);
  for (const line of lines) expect(line).toMatch(/ {2}2\/3 就绪$/);
});

test.each([160, 200, 300])('on a channel of %i bytes lines and titles keep their end', async (replyBytes) => {
  const name = (end: string) => `${'服务'.repeat(14)}-${end}`;
  const menu = treeOf({
    'index.ts': folder({ title: '首页' }),
    '1-pick.ts': action({
      title: '选',
      ask: { one: choice('选', async () => [name('a'), name('b')]) },
      run: () => '好',
    }),
  });
  const phone = await phoneWith(menu, { ops: fakeOps({}), replyBytes });
  const pages = [await phone.say('1'), await phone.say('n')].join('\n');
  expect(pages).toMatch(/^1 服务.*-a$/m);
  expect(pages).toMatch(/^2 服务.*-b$/m);
  const chosen = await phone.say('2');
  expect(chosen).toMatch(/^.*服务-b$/m);
  for (const reply of [pages.split('? 帮助')[0] ?? '', chosen])
    expect(bytesOf(reply)).toBeLessThanOrEqual(replyBytes);
});

test('a name is found however a phone spells it, and an exact one comes first', async () => {
  const { phone } = await listing(['web-api', 'Web-Api', 'cart-x']);
  expect(await phone.say('Cart-X')).toContain('chose shop/cart-x.');
  await phone.say('0');
  for (const typed of [
    'CART–X',
    'cart\u200b-x',
    'car\ufe0ft-x\u2060',
    '\u00adcart\u200e-x\ufeff',
    'ｃａｒｔ－ｘ',
  ]) {
    expect(await phone.say(typed), typed).toContain('chose shop/cart-x.');
    await phone.say('0');
  }
  expect(await phone.say('Web-Api')).toContain('chose shop/Web-Api.');
  await phone.say('0');
  expect(await phone.say('WEB-API')).toContain(sentences.ambiguous('WEB-API'));
});
