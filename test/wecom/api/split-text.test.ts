import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitText } from '../../../src/wecom/api/split-text.ts';

test('a text within the limit stays whole, and an empty one has no parts', () => {
  expect(splitText('x'.repeat(2048))).toEqual(['x'.repeat(2048)]);
  expect(splitText('')).toEqual([]);
});

test('nothing is lost, no part is too long and none ends inside a character', () => {
  const any = fc.string({
    unit: fc.oneof(fc.constant('\n'), fc.string({ unit: 'binary', maxLength: 1 })),
    maxLength: 300,
  });
  fc.assert(
    fc.property(any, fc.integer({ min: 4, max: 60 }), (text, bytes) => {
      const parts = splitText(text, bytes);
      expect(parts.join('')).toBe(text);
      for (const part of parts) {
        expect(part).not.toBe('');
        expect(Buffer.byteLength(part)).toBeLessThanOrEqual(bytes);
      }
    }),
    { numRuns: 500 },
  );
});

test('2048 bytes hold 682 Chinese characters, and the rest follows', () => {
  expect(splitText('好'.repeat(1000)).map((part) => part.length)).toEqual([682, 318]);
});

test('a part ends with a line rather than inside one', () => {
  expect(splitText('一行\n二行\n三行', 16)).toEqual(['一行\n二行\n', '三行']);
});

test('a line that would leave the part nearly empty does not end it', () => {
  expect(splitText('a\n12345678901234', 12)).toEqual(['a\n1234567890', '1234']);
});

test('a limit that holds no character is a mistake of the caller', () => {
  expect(() => splitText('好', 3)).toThrow(RangeError);
});
