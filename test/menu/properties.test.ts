import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fakeOps, phoneWith } from '#test/phone.ts';
import { treeOf } from '#test/tree.ts';
import { action, choice, folder, text } from '../../src/menu/index.ts';
import { decodeSegment, encodeSegment } from '../../src/menu/turn/session.ts';
import { bytesOf, cutToBytes } from '../../src/menu/words/text.ts';

test('a segment survives encoding, and holds no dash', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (typed) => {
      expect(decodeSegment(encodeSegment(typed))).toBe(typed);
      expect(encodeSegment(typed)).not.toContain('-');
    }),
  );
});

test('a cut falls between characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme-composite' }), fc.nat(40), (whole, bytes) => {
      const cut = cutToBytes(whole, bytes);
      expect(bytesOf(cut)).toBeLessThanOrEqual(bytes);
      expect(whole.startsWith(cut)).toBe(true);
      expect(cut.isWellFormed()).toBe(true);
    }),
  );
});

test('whatever is typed, the reply is there, within the bytes of the channel, and the next digit means what it shows', async () => {
  const labels = fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 }), {
    minLength: 1,
    maxLength: 40,
  });
  const lines = fc.array(
    fc.oneof(
      fc.constantFrom('1', '2', '11', '0', '#', '?', 'n', 'p', '1-1', '1-2-1', '返回', '９'),
      fc.string({ unit: 'grapheme', maxLength: 300 }),
    ),
    { maxLength: 12 },
  );
  await fc.assert(
    fc.asyncProperty(labels, lines, fc.integer({ min: 500, max: 2048 }), async (names, typed, replyBytes) => {
      const options = names.map((label, i) => ({ key: `k${i}`, label }));
      const tree = treeOf({
        'index.ts': folder({ title: '首页' }),
        '1-pick.ts': action({
          title: '选一个'.repeat(6),
          ask: { one: choice('选'.repeat(40), async () => options) },
          run: (_, { one }) => `chose ${(one as { key: string }).key}`,
        }),
        '2-say.ts': action({
          title: '说',
          ask: { what: text('说什么') },
          run: (_, { what }) => String(what),
        }),
      });
      const phone = await phoneWith(tree, { ops: fakeOps({}), replyBytes });
      for (const line of typed) {
        const before = phone.session();
        const reply = await phone.say(line);
        expect(bytesOf(reply)).toBeLessThanOrEqual(replyBytes);
        expect(reply).not.toBe('');
        const number = /^[1-9]\d*$/.test(line) ? Number(line) : 0;
        if (before?.screen.kind === 'choice' && number > 0 && number <= names.length) {
          expect(reply).toContain(`chose k${number - 1}`);
        }
      }
    }),
    { numRuns: 60 },
  );
});
