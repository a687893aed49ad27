import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fakeOps, type Phone, phoneWith } from '#test/phone.ts';
import { treeOf } from '#test/tree.ts';
import { action, choice, folder, integer } from '../../src/menu/index.ts';
import { sentences } from '../../src/menu/words/sentences.ts';

/** A phone at a list of these names, in a menu where `1-1-…` can be a jump. */
async function listing(...names: string[]): Promise<Phone> {
  const menu = treeOf({
    'index.ts': folder({ title: '首页', ask: { unit: choice('单元', async () => ['甲', '乙', '丙']) } }),
    '1-pick.ts': action({
      title: '选',
      ask: { one: choice('选', async () => names) },
      run: (_, { one }) => `chose ${one}.`,
    }),
  });
  const phone = await phoneWith(menu, { ops: fakeOps({}) });
  await phone.say('1', '1');
  return phone;
}

const answerTo = async (names: readonly string[], typed: string) => (await listing(...names)).say(typed);

describe('names in a list', () => {
  test.each([
    ['2', 'chose 1.', 'digits are the line that has the number, whatever its name'],
    ['1', 'chose 2.', 'digits are the line that has the number, whatever its name'],
    ['123', 'chose 123.', 'a number that the list has not is a name'],
    ['3-tier', 'chose 3-tier.', 'what can be no jump is a name'],
    ['4', 'chose 3-tier.', 'and its number leads there as well'],
    ['1-1', sentences.ambiguous('1-1'), 'a name that can be a jump is refused'],
    ['1-1-2', 'chose 1.', 'a jump that nothing is called after'],
    ['6', 'chose menu.', 'by number'],
    ['menu', 'chose menu.', 'a name comes before a word that no screen shows'],
    ['n', sentences.noMorePages, 'but not before a key'],
    ['一', sentences.ambiguous('一'), 'the number of one line and the name of another is refused'],
    ['8', 'chose 一.', 'by number'],
    ['二', 'chose 1.', 'a number written otherwise, where nothing is called so'],
    ['０１２', 'chose ０１２.', 'full-width forms are the same on both sides'],
    ['99', sentences.noSuchNumber(99), 'neither'],
  ])('%s → %s (%s)', async (typed, expected) => {
    const phone = await listing('2', '1', '123', '3-tier', '1-1', 'menu', 'n', '一', '０１２');
    expect(await phone.say(typed)).toContain(expected);
  });
});

describe('a name in a jump', () => {
  test.each(['n', 'p', '0', '返回', '?', 'web-api', 'web--api', 'a---b-c'])(
    '%s is reached by it, although it may be a key',
    async (name) => {
      expect(await answerTo(['web', name], `1-1-${name}`)).toContain(`chose ${name}.`);
      expect(await answerTo(['web', name], '2')).toContain(`chose ${name}.`);
    },
  );

  test.each(['1--1', '1-1--2', '1--1-2'])('%s is none, and nothing of it is left out', async (typed) => {
    expect(await answerTo(['web', 'api'], typed)).not.toContain('chose');
  });

  test.each(['1-1-web-api', '1-1-web--api'])(
    'at a question that wants a number, %s is a jump',
    async (typed) => {
      const menu = treeOf({
        'index.ts': folder({ title: '首页', ask: { unit: choice('单元', async () => ['甲']) } }),
        '1-pick.ts': action({
          title: '选',
          ask: { one: choice('选', async () => ['web-api', 'web--api']) },
          run: (_, { one }) => `chose ${one}.`,
        }),
        '2-count.ts': action({
          title: '数',
          ask: { many: integer('多少', { min: 0, max: 9 }) },
          run: () => 'counted',
        }),
      });
      const phone = await phoneWith(menu, { ops: fakeOps({}) });
      await phone.say('1', '2');
      expect(await phone.say(typed)).toContain(`chose ${typed.slice(4)}.`);
      await phone.say('0', '0', '2');
      expect(await phone.say('1-3')).toContain(sentences.integerRange(0, 9));
    },
  );
});

test('whatever the items are called, each is reached by its number, and a name never means another', async () => {
  const name = fc.oneof(
    fc.constantFrom(
      '1',
      '2',
      '3',
      '12',
      '123',
      '0',
      '01',
      '1-1',
      '1-1-2',
      '1 1 2',
      '3-tier',
      '1 1',
      '一',
      '②',
      '3.',
      'n',
      'menu',
      '取消',
    ),
    fc.stringMatching(/^[0-9一二两十①.,、。()（）–\- a-z]{1,6}$/),
  );
  const names = fc.uniqueArray(name, { minLength: 1, maxLength: 25 });
  await fc.assert(
    fc.asyncProperty(names, async (items) => {
      for (const [index, item] of items.entries()) {
        expect(await answerTo(items, `${index + 1}`)).toContain(`chose ${item}.`);
        const [, chosen = item] = /chose (.*)\.$/m.exec(await answerTo(items, item)) ?? [];
        // Digits are the number of a line, whatever it is called.
        const isNumber = /^[1-9][0-9]*$/.test(item.trim()) && Number(item) <= items.length;
        expect(chosen, item).toBe(isNumber ? items[Number(item) - 1] : item);
      }
    }),
    { numRuns: 60 },
  );
});
