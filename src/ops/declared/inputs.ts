import * as z from 'zod';
import { unit } from '../../contract/operation.ts';
import { matches } from '../../server/pattern.ts';

/** A line of a list, a header or a shell is made of it: no control characters, and no halves of characters, whatever else is allowed. */
const PLAIN = /^[^\p{Cc}\p{Cs}\u2028\u2029]*$/u;
/** What may be typed for a text where its author says nothing. */
const TEXT_LENGTH = 200;

const titled = { title: z.string().min(1).max(40) };
const choices = z
  .array(z.union([z.string().min(1).max(200), z.int()]))
  .min(1)
  .max(100);

/** One part of the input of a declared operation, as its file has it: only what can be asked for on a phone. */
const property = z.union([
  z.strictObject({ ...titled, enum: choices, labels: z.record(z.string(), z.string()).optional() }),
  z
    .strictObject({ ...titled, type: z.literal('integer'), minimum: z.int(), maximum: z.int() })
    .refine(({ minimum, maximum }) => minimum <= maximum, 'its minimum is over its maximum'),
  z.strictObject({ ...titled, type: z.literal('boolean') }),
  z.strictObject({
    ...titled,
    type: z.literal('string'),
    maxLength: z.int().min(1).max(2000).default(TEXT_LENGTH),
    pattern: z.string().max(500).refine(isPattern, 'is no regular expression').optional(),
    options: z.string().optional(),
    value: z.string().optional(),
  }),
]);
type Property = z.infer<typeof property>;

/** The input as the file has it, by name. */
export const inputsForm = z
  .record(z.string().regex(/^[a-z][A-Za-z0-9]{0,39}$/, 'is no name: letters and digits'), property)
  .refine((inputs) => !('unit' in inputs) && !('id' in inputs), '`unit` and `id` are always there')
  .default({});
export type Inputs = z.infer<typeof inputsForm>;

/** What is put into templates: `unit`, and the declared parts. */
export type Values = Readonly<Record<string, string | number | boolean>>;

/** The schema of such an input. */
export function schemaOf(inputs: Inputs): z.ZodType<Values> {
  const parts = Object.entries(inputs).map(([name, declared]) => [name, partOf(declared)]);
  return z.strictObject({ unit, ...Object.fromEntries(parts) }) as unknown as z.ZodType<Values>;
}

/** What was typed, one line each, in the words of the declaration. */
export function typedLines(input: Inputs, values: Values): readonly string[] {
  return Object.keys(input).map((name) => `${input[name]?.title}：${wordOf(input, name, values)}`);
}

/** A value as the person has chosen it. */
function wordOf(input: Inputs, name: string, values: Values): string {
  const declared = input[name];
  const value = `${values[name]}`;
  const label = declared && 'enum' in declared ? declared.labels?.[value] : undefined;
  if (label !== undefined) return `${label}（${value}）`;
  return typeof values[name] === 'boolean' ? (values[name] ? '是' : '否') : value;
}

function partOf(declared: Property): z.ZodType {
  if ('enum' in declared) {
    const { title, labels } = declared;
    return z.literal(declared.enum as [string | number]).meta({ title, ...(labels && { labels }) });
  }
  const { title } = declared;
  if (declared.type === 'boolean') return z.boolean().meta({ title });
  if (declared.type === 'integer') return z.int().min(declared.minimum).max(declared.maximum).meta({ title });
  const { maxLength, pattern, options, value } = declared;
  const text = z.string().min(1).max(maxLength).regex(PLAIN);
  const meta = { title, ...(options && { options }), ...(value && { value }) };
  if (pattern === undefined) return text.meta(meta);
  const form = new RegExp(pattern, 'u');
  return text.refine((typed) => matches(form, typed), '格式不对').meta({ ...meta, pattern });
}

function isPattern(text: string): boolean {
  try {
    return Boolean(new RegExp(text, 'u'));
  } catch {
    return false;
  }
}
