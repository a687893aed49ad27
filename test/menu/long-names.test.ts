import { expect, test } from 'vitest';
import { fakeOps, phoneWith } from '#test/phone.ts';
import { treeOf } from '#test/tree.ts';
import { action, choice, folder } from '../../src/menu/index.ts';
import { sentences } from '../../src/menu/words/sentences.ts';

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
