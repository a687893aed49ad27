import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { contentSchema, templateContentSchema } from '../../../src/push/content/content-schema.ts';
import { variablesSchema } from '../../../src/push/content/fields.ts';
import { shown } from '../../../src/push/content/text-schema.ts';

test.each([
  ['\u0000', '\ufffd'],
  ['\u001b[31mred', '\ufffd[31mred'],
  ['a\r\nb\nc\td', 'a\nb\nc\td'],
  ['a\rb', 'a\ufffdb'],
  ['\u0085\u2028\u2029', '\ufffd\ufffd\ufffd'],
  ['\u202egnp.exe', '\ufffdgnp.exe'],
  ['\u2066\u2069\u200e\u200f\u061c\ufeff', '\ufffd'.repeat(6)],
  ['好 👍🏽 é', '好 👍🏽 é'],
])('%j is sent as %j', (given, sent) => {
  expect(shown(given)).toBe(sent);
});

test('no string of any content, template or value keeps a sign that nobody sees', () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be there
  const hidden = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2028\u2029\u2066-\u2069]/;
  const anything = fc.string({ unit: 'binary', maxLength: 20 }).map((text) => `x${text}`);
  const control = fc.integer({ min: 0, max: 0x9f }).map((code) => `x${String.fromCharCode(code)}`);
  fc.assert(
    fc.property(fc.oneof(anything, control), (given) => {
      const url = 'https://a.example/';
      const contents = [
        { text: given },
        { markdown: given },
        { textcard: { title: given, description: given, url } },
        { news: { articles: [{ title: given, description: given, url }] } },
        {
          templateCard: {
            card_type: 'text_notice',
            main_title: { title: given, desc: given },
            card_action: { type: 1, url },
            horizontal_content_list: [{ keyname: given, value: given }],
          },
        },
      ];
      const all = contents.flatMap((each) => [contentSchema.parse(each), templateContentSchema.parse(each)]);
      const strings: string[] = [];
      JSON.stringify([all, variablesSchema.parse({ A: given })], (_, value) => {
        if (typeof value === 'string') strings.push(value);
        return value;
      });
      for (const each of strings) expect(each).not.toMatch(hidden);
    }),
  );
});
