import { matches } from '../../server/pattern.ts';
import { sentences } from '../words/sentences.ts';
import type { Answers } from './context.ts';
import { choice, integer, type Option, type Question, text } from './question.ts';

/** An operation as the catalogue of the platform describes it. */
export interface Described {
  readonly kind: 'read' | 'change';
  readonly title: string;
  /** JSON Schema of an object. */
  readonly input: Readonly<Record<string, unknown>>;
  /** JSON Schema of what a read answers. */
  readonly output?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * What of a schema matters here. Beside JSON Schema: `labels` words the values of an `enum`, and `options` names a read
 * whose rows are the choices; `value` is the field of a row that is meant, `key` where it is left out.
 */
interface Property {
  readonly title?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly labels?: Readonly<Record<string, string>>;
  readonly options?: string;
  readonly value?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  /** Where a text has to match several patterns, they stand here. */
  readonly allOf?: readonly { readonly pattern?: string }[];
}

/** Questions, and what makes the input of their answers and of those that were given before. */
export interface Derived {
  readonly ask: Readonly<Record<string, Question>>;
  input(answers: Answers): unknown;
}

/**
 * Makes what asks for the input of an operation by its schema: one question for each property that is required and not in
 * `answered`. A string is the sentence that says what cannot be asked on a phone.
 */
export function deriveQuestions(
  operation: Described,
  answered: ReadonlySet<string>,
  find: (name: string) => Described | undefined,
): Derived | string {
  const properties = propertiesOf(operation);
  const ask: Record<string, Question> = {};
  for (const [name, property] of Object.entries(properties)) {
    if (answered.has(name) || property.const !== undefined) continue;
    const question = questionFor(name, property, find);
    if (typeof question === 'string') return `its input "${name}" ${question}; give the entry ask and input`;
    ask[name] = question;
  }
  return {
    ask,
    input: (answers) =>
      Object.fromEntries(
        Object.entries(properties).map(([name, property]) => [name, inputOf(property, answers[name])]),
      ),
  };
}

/** The properties that an input must have: what may be left out is left to the operation. */
function propertiesOf({ input }: Described): Readonly<Record<string, Property>> {
  const { properties = {}, required = [] } = input as {
    readonly properties?: Readonly<Record<string, Property>>;
    readonly required?: readonly string[];
  };
  return Object.fromEntries(Object.entries(properties).filter(([name]) => required.includes(name)));
}

function questionFor(
  name: string,
  property: Property,
  find: (name: string) => Described | undefined,
): Question | string {
  const { title = name, type, minimum, maximum } = property;
  if (property.options !== undefined) return choiceOf(title, property.options, find);
  if (property.enum !== undefined)
    return choice(title, async () => property.enum?.map(optionOf(property)) ?? []);
  if (type === 'boolean') return choice(title, async () => YES_OR_NO);
  if (type === 'integer' && isBound(minimum) && isBound(maximum)) {
    return integer(title, { min: minimum, max: maximum });
  }
  if (type === 'integer') return 'has no bounds';
  if (type !== 'string') return 'is neither text, an integer, yes or no, nor one of a list';
  const { maxLength, pattern, allOf = [] } = property;
  const sources = [pattern, ...allOf.map((each) => each.pattern)].filter((each) => each !== undefined);
  const patterns = sources.map(patternOf);
  if (patterns.includes(undefined)) return 'has a pattern that is no regular expression of JavaScript';
  const test = (typed: string) => patterns.every((each) => each !== undefined && matches(each, typed));
  return text(title, {
    ...(maxLength !== undefined && { max: maxLength }),
    ...(patterns.length > 0 && { pattern: { test } }),
  });
}

/** A schema has the source of a pattern without its flags; one that was written without `u` may be none with it. */
function patternOf(source: string): RegExp | undefined {
  for (const flags of ['u', '']) {
    try {
      return new RegExp(source, flags);
    } catch {}
  }
  return undefined;
}

/** A whole number in JSON Schema has the limits of JavaScript where its author gave none. */
function isBound(value: number | undefined): value is number {
  return value !== undefined && Math.abs(value) < Number.MAX_SAFE_INTEGER;
}

const YES_OR_NO: readonly Option[] = [
  { key: 'true', label: sentences.yes },
  { key: 'false', label: sentences.no },
];

function optionOf({ labels = {} }: Property) {
  return (value: unknown): Option => ({ key: `${value}`, label: labels[`${value}`] ?? `${value}` });
}

/** The rows of a read are the choices; its own input is made of what was answered before. */
function choiceOf(
  title: string,
  from: string,
  find: (name: string) => Described | undefined,
): Question | string {
  const read = find(from);
  if (read?.kind !== 'read') return `takes its options from "${from}", which is no read of the platform`;
  if (!isListOfOptions(read.output)) {
    return `takes its options from "${from}", which answers no list of texts or of rows with key and label`;
  }
  const needed = Object.keys(propertiesOf(read));
  return choice(title, async ({ ops }, answers: Answers) => {
    const input = Object.fromEntries(needed.map((name) => [name, plain(answers[name])]));
    return (await ops.call(from as never, input as never)) as readonly Option[];
  });
}

function isListOfOptions(output: Described['output']): boolean {
  const { type, required = [] } = (output?.items ?? {}) as Property & {
    readonly required?: readonly string[];
  };
  return type === 'string' || (required.includes('key') && required.includes('label'));
}

function inputOf(property: Property, answer: unknown): unknown {
  if (property.const !== undefined) return property.const;
  if (property.type === 'boolean') return plain(answer) === 'true';
  if (property.enum !== undefined) return property.enum.find((value) => `${value}` === plain(answer));
  return plain(answer, property.value);
}

/** What was picked from a list stands for one of its fields; what was typed stands for itself. */
function plain(answer: unknown, field = 'key'): unknown {
  return typeof answer === 'object' && answer !== null
    ? (answer as Readonly<Record<string, unknown>>)[field]
    : answer;
}
