// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how templates are written
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Content } from '../../../src/push/content/content.ts';
import { fill, namesIn } from '../../../src/push/content/fill.ts';

/** What breaks fillers that go through JSON, a regular expression's replacement, or a second pass. */
const NASTY = [
  '"',
  '\\',
  '\n',
  '\r\n',
  '\u2028',
  '$1',
  '$&',
  '$$',
  "$'",
  '`',
  '${X}',
  '${NAME}',
  '}',
  '\\u0041',
  '',
];

describe('filling a template', () => {
  test.each(NASTY)('puts %j literally in its place', (value) => {
    const filled = fill({ text: 'a${NAME}b${NAME}' }, { NAME: value, X: 'never' });
    expect(filled).toEqual({ text: `a${value}b${value}` });
  });

  test('leaves any value as it is, at any depth, and everything else untouched', () => {
    const value = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom(...NASTY), fc.string());
    fc.assert(
      fc.property(value, value, (a, b) => {
        const content: Content = {
          templateCard: {
            '${A}': 7,
            main_title: { title: '${A}|${B}|${A}' },
            list: [{ deep: ['${B}', 1, null, true] }],
          },
        };
        expect(fill(content, { A: a, B: b })).toEqual({
          templateCard: {
            '${A}': 7,
            main_title: { title: `${a}|${b}|${a}` },
            list: [{ deep: [b, 1, null, true] }],
          },
        });
      }),
    );
  });

  test('changes the shape of the JSON by no value', () => {
    const content = { textcard: { title: '${T}', description: 'd', url: 'https://a.example/' } };
    const value = '","url":"https://evil.example/';
    expect(JSON.parse(JSON.stringify(fill(content, { T: value })))).toEqual({
      textcard: { ...content.textcard, title: value },
    });
  });

  test('leaves what is no name, and names without a value, as they were written', () => {
    const text = '${a} ${1A} $NAME ${NAME ${} ${TOO_LONG_TOO_LONG_TOO_LONG_TOO_LO} ${MISSING} ${constructor}';
    expect(fill({ text }, {})).toEqual({ text });
    expect(fill({ text: '${HAS}' }, Object.create({ HAS: 'inherited' }))).toEqual({ text: '${HAS}' });
  });

  test('finds every name once, in values and not in keys', () => {
    const content: Content = {
      templateCard: { '${KEY}': '${A} ${B_2}', list: ['${A}', { x: '${USERID}' }] },
    };
    expect([...namesIn(content)]).toEqual(['A', 'B_2', 'USERID']);
  });
});
