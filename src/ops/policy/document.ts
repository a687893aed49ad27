import * as z from 'zod';
import {
  instance,
  kubernetesName,
  service as serviceName,
  unit as unitName,
} from '../../contract/operation.ts';
import { principal } from '../../contract/principal.ts';
import { ConfigError, InputError } from '../../errors.ts';
import { onOneLine } from '../../plain-text.ts';
import { readYaml } from '../../server/yaml.ts';
import { readAuthorities, serviceOf } from './service.ts';

/** No policy can allow more pods of one deployment. */
export const MOST_REPLICAS = 1000;

/** What exists: contexts of the kubeconfig, MySQL instances, and operations. The policy can name nothing else. */
export interface KnownNames {
  /** The operations that a grant can cover: those of the platform itself answer everyone, for themselves. */
  readonly operations: readonly string[];
  /** Why a context cannot be used, in one sentence that names `KUBECONFIG`; undefined when it can. */
  contextProblem(name: string): string | undefined;
  readonly instances: { includes(name: string): boolean };
  /** The certificates in a file, which is read when this is left out. Throws an InputError that goes on from a name. */
  authoritiesIn?(file: string): string;
}

/** What no change in a unit may pass, whoever confirms it; a unit that says nothing has these defaults. */
const limits = z.strictObject({ replicas: z.int().min(1).max(MOST_REPLICAS).default(50) });
/** A name that means nothing is a typing error that would silently take a right away. */
const patternOf = (operations: readonly string[]) =>
  z
    .string()
    .regex(/^[a-z0-9.*-]+$/, { error: 'not the name of an operation', abort: true })
    .refine((pattern) => operations.some((name) => fits(pattern, name)), {
      error: ({ input }) => `"${input}" fits no operation`,
    });
/** A pattern covers also what an author adds tomorrow: whoever wants that says so. */
const grantOf = (operations: readonly string[]) =>
  z
    .strictObject({
      operations: z.array(patternOf(operations)).min(1),
      units: z.union([z.literal('*'), z.array(unitName).min(1)]),
      new: z.literal('allowed').optional(),
    })
    .superRefine((grant, context) => {
      if (grant.new === 'allowed') return;
      for (const [index, pattern] of grant.operations.entries()) {
        if (!pattern.includes('*')) continue;
        const covered = operations.filter((name) => fits(pattern, name)).join(', ');
        const message = `"${pattern}" would also grant operations that are added later; write \`new: allowed\` into the grant, or name them: ${covered}`;
        context.addIssue({ code: 'custom', path: ['operations', index], message });
      }
    });
/** A number is a department of the default account's enterprise; those of others carry channel and account. */
const department = z.union([
  z.int().positive().transform(String),
  z
    .string()
    .regex(/\/[1-9]\d{0,15}$/, 'not a department')
    .pipe(principal),
]);
const roleOf = (operations: readonly string[]) =>
  z.strictObject({
    members: z.strictObject({
      users: z.array(principal).default([]),
      departments: z.array(department).default([]),
    }),
    grants: z.array(grantOf(operations)).min(1),
  });
const someEntries = (entries: object): boolean => Object.keys(entries).length > 0;

/** The form of a policy that names nothing but what is known. */
function documentOf({ contextProblem, instances, operations, authoritiesIn = readAuthorities }: KnownNames) {
  const context = z.string().refine((name) => contextProblem(name) === undefined, {
    error: ({ input }) => contextProblem(String(input)),
  });
  const reachable = instance.refine((name) => instances.includes(name), {
    error: ({ input }) => `OPS_MYSQL_TARGETS has no instance "${input}"`,
  });
  const unit = z.strictObject({
    environment: z.enum(['test', 'production']),
    kubernetes: z.strictObject({ context, namespaces: z.array(kubernetesName).min(1) }).optional(),
    mysql: z.array(reachable).default([]),
    services: z.record(serviceName, serviceOf(authoritiesIn)).default({}),
    limits: limits.default(limits.parse({})),
  });
  return z.strictObject({
    units: z.record(unitName, unit).refine(someEntries, 'names no unit'),
    roles: z.record(z.string().min(1), roleOf(operations)).refine(someEntries, 'names no role'),
  });
}

/** The policy as its file says it; `order` has the names of its units as they stand there. */
export type PolicyDocument = z.infer<ReturnType<typeof documentOf>> & { readonly order: readonly string[] };
/** A business unit: how careful to be in it, and what it reaches. */
export type Unit = PolicyDocument['units'][string];
/** Some operations (names, or patterns with `*`) in some units. */
export type Grant = Role['grants'][number];
/** Some people and what they may do. */
export type Role = PolicyDocument['roles'][string];

/** Reads the text of a policy file. Throws a ConfigError that names every problem by its path in the file. */
export function readPolicy(text: string, known: KnownNames): PolicyDocument {
  const value = readText(text);
  if (value === undefined) throw new ConfigError(['policy: the file is empty']);
  const read = documentOf(known).safeParse(value);
  const problems = read.success
    ? [...oddNames(read.data), ...unknownUnits(read.data)]
    : read.error.issues.map(({ path, message }) => {
        const found = [valueAt(value, path)].flat().find((each) => /^(number|boolean)$/.test(typeof each));
        const isName = found !== undefined && /expected string|^Invalid input$/.test(message);
        const remedy = isName ? `; a name that YAML reads as a ${typeof found} stands in quotes` : '';
        return `policy: ${path.join('.')}: ${message}${remedy}`;
      });
  if (!read.success || problems.length > 0) throw new ConfigError(problems);
  return { ...read.data, order: orderOf(text) };
}

/** A record of JavaScript has names such as `2` before all others, so the order is read from the file itself. */
function orderOf(text: string): readonly string[] {
  const top = readYaml(text, {}, { mapAsMap: true }) as ReadonlyMap<string, ReadonlyMap<unknown, unknown>>;
  return [...(top.get('units') ?? new Map()).keys()].map(String);
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((found, key) => Object(found)[key], value);
}

function readText(text: string): unknown {
  try {
    return readYaml(text);
  } catch (error) {
    throw error instanceof InputError ? new ConfigError([`policy: the file ${error.message}`]) : error;
  }
}

/** A name that is shown otherwise than it is written is found by nobody who types what is shown. */
function oddNames({ units, roles }: Pick<PolicyDocument, 'units' | 'roles'>): string[] {
  const named = { units: Object.keys(units), roles: Object.keys(roles) };
  return Object.entries(named).flatMap(([what, names]) =>
    names
      .filter((name) => onOneLine(name).trim() !== name)
      .map((name) => {
        const rule = 'a name is one line without markup, rows of blanks or signs that cannot be seen';
        return `policy: ${what}."${onOneLine(name)}": ${rule}; write it anew, here and where it is used`;
      }),
  );
}

function unknownUnits({ units, roles }: Pick<PolicyDocument, 'units' | 'roles'>): string[] {
  return Object.entries(roles).flatMap(([name, { grants }]) =>
    grants.flatMap((each, index) =>
      (each.units === '*' ? [] : each.units)
        .filter((unit) => !Object.hasOwn(units, unit))
        .map((unit) => `policy: roles.${name}.grants.${index}.units: there is no unit "${unit}"`),
    ),
  );
}

/** Whether an operation's name fits a pattern of letters, digits, dashes and dots, in which `*` stands for any characters. */
export function fits(pattern: string, operation: string): boolean {
  const form = pattern.replaceAll('.', '\\.').replaceAll(/\*+/g, '.*');
  return new RegExp(`^${form}$`).test(operation);
}
