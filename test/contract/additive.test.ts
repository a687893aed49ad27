import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { changeNamed, operationNames, readNamed } from '#test/operations.ts';
import { answer } from '../../src/contract/answer.ts';
import { catalogue } from '../../src/contract/catalogue.ts';
import { platform } from '../../src/contract/platform.ts';
import type { ReadOperation } from '../../src/ops/operations/operation.ts';

/*
 * Bot and platform are updated one after the other, so each speaks for a while with an older or a newer one. What an answer
 * has beside what is known is ignored, and a field that comes to the contract later is optional: the tables name those of
 * version 0.1.0, which every platform sends, and every bot. All that know an operation that came later know what it has.
 */
const ANSWERED: Readonly<Record<string, readonly string[]>> = {
  me: [],
  'units.list': [],
  'k8s.deployments.list': ['key', 'label', 'namespace', 'name', 'replicas', 'ready', 'image'],
  'k8s.pods.list': ['name', 'phase', 'ready', 'restarts', 'age', 'node'],
  'mysql.processlist': [
    'key',
    'label',
    'name',
    'instance',
    'id',
    'query',
    'user',
    'database',
    'seconds',
    'sql',
  ],
  'operation.settle': ['state', 'text'],
  'operation.received': [],
};
const ASKED: Readonly<Record<string, readonly string[]>> = {
  me: [],
  'units.list': [],
  'k8s.deployments.list': ['unit'],
  'k8s.pods.list': ['unit', 'namespace', 'name'],
  'k8s.scale': ['unit', 'namespace', 'name', 'replicas'],
  'k8s.restart': ['unit', 'namespace', 'name'],
  'mysql.processlist': ['unit'],
  'mysql.kill': ['unit', 'instance', 'id', 'query'],
  'operation.settle': ['id'],
  'operation.received': ['ids'],
};

type JsonSchema = Readonly<{ [key: string]: unknown; required?: readonly string[] }>;
/** All objects that stand in a form, however deep. */
function objectsIn(form: z.ZodType): readonly JsonSchema[] {
  const found: JsonSchema[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if ((value as JsonSchema).properties !== undefined) found.push(value as JsonSchema);
    for (const each of Object.values(value)) visit(each);
  };
  visit(z.toJSONSchema(form, { io: 'input' }));
  return found;
}
const requiredIn = (form: z.ZodType): readonly string[] =>
  objectsIn(form).flatMap(({ required = [] }) => required);

const own = Object.entries(platform).map(([name, { input, output }]) => [name, input, output] as const);
const declared = operationNames.map((name) => {
  const { input } = changeNamed(name);
  const { output } = readNamed(name) as Partial<ReadOperation>;
  return [name, input, output] as const;
});
const operations: readonly (readonly [string, z.ZodType, z.ZodType | undefined])[] = [...own, ...declared];

describe.each(operations)('%s', (name, input, output) => {
  test('asks for nothing that an older bot does not say', () => {
    expect(requiredIn(input)).toEqual(ASKED[name] ?? requiredIn(input));
  });

  test.runIf(output !== undefined)('is understood from an older and from a newer platform', () => {
    const form = output as z.ZodType;
    expect(requiredIn(form)).toEqual(ANSWERED[name] ?? requiredIn(form));
    for (const { additionalProperties } of objectsIn(form)) expect(additionalProperties).not.toBe(false);
  });
});

test('an answer may have more fields, and a reason that is not known', () => {
  const objects = objectsIn(answer);
  expect(objects.length).toBeGreaterThan(7);
  for (const { additionalProperties } of objects) expect(additionalProperties).not.toBe(false);
  const refused = { state: 'refused', reason: 'of-next-year', message: '不行' };
  expect(answer.parse({ ...refused, more: 1 })).toEqual(refused);
});

test('an answer of a kind that is not known is none', () => {
  expect(answer.safeParse({ state: 'of-next-year', text: 'ok' }).success).toBe(false);
});

test('a catalogue with an operation of a kind that is not known has all others', () => {
  const known = { name: 'a.b', kind: 'read', title: 't', input: {} };
  const said = {
    generation: 'g',
    policy: 'p',
    operations: [{ ...known, kind: 'of-next-year' }, known],
    more: 1,
  };
  expect(catalogue.parse(said).operations).toEqual([known]);
});
