import { expect, test } from 'vitest';
import * as z from 'zod';
import { inputsForm, schemaOf } from '../../../src/ops/declared/inputs.ts';

const schemaWith = (pattern: string) =>
  schemaOf(inputsForm.parse({ name: { title: '名字', type: 'string', pattern } }));

test('a text is asked for by the pattern of its author, and checked by it', () => {
  const schema = schemaWith('^[a-z]+$');
  expect(z.toJSONSchema(schema, { io: 'input' })).toMatchObject({
    properties: { name: { pattern: '^[a-z]+$', maxLength: 200 } },
  });
  expect(schema.safeParse({ unit: '电商', name: 'abc' }).success).toBe(true);
  for (const name of ['ABC', 'a\nb', ''])
    expect(schema.safeParse({ unit: '电商', name }).success).toBe(false);
});

test('no line of a text is forged, whatever its pattern allows', () => {
  expect(schemaWith('.*').safeParse({ unit: '电商', name: 'a\u2028b' }).success).toBe(false);
});

test('a pattern that would take years for a text costs a moment, and is not matched', () => {
  expect(schemaWith('^(a+)+$').safeParse({ unit: '电商', name: `${'a'.repeat(60)}!` }).success).toBe(false);
});
