import * as z from 'zod';
import { contract } from '../../contract/index.ts';
import { MOST_REPLICAS } from '../../contract/kubernetes.ts';
import { kubernetesName, unit as unitName } from '../../contract/operation.ts';
import { principal } from '../../contract/principal.ts';
import { ConfigError, InputError } from '../../errors.ts';
import { readYaml } from '../../server/yaml.ts';
import { fits, needsUnit } from './grants.ts';

const instance = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'not an instance name');
/** What no change in a unit may pass, whoever confirms it; a unit that says nothing has these defaults. */
const limits = z.strictObject({ replicas: z.int().min(1).max(MOST_REPLICAS).default(50) });
const unit = z.strictObject({
  environment: z.enum(['test', 'production']),
  kubernetes: z
    .strictObject({ context: z.string().min(1), namespaces: z.array(kubernetesName).min(1) })
    .optional(),
  mysql: z.array(instance).default([]),
  limits: limits.default(limits.parse({})),
});
const grant = z.strictObject({
  operations: z.array(z.string().regex(/^[a-z0-9.*]+$/, 'not the name of an operation')).min(1),
  units: z.union([z.literal('*'), z.array(unitName).min(1)]),
});
/** A number is a department of the default account's enterprise; those of others carry channel and account. */
const department = z.union([
  z.int().positive().transform(String),
  z
    .string()
    .regex(/\/[1-9]\d{0,15}$/, 'not a department')
    .pipe(principal),
]);
const role = z.strictObject({
  members: z.strictObject({
    users: z.array(principal).default([]),
    departments: z.array(department).default([]),
  }),
  grants: z.array(grant).min(1),
});
const someEntries = (entries: object): boolean => Object.keys(entries).length > 0;
const document = z.strictObject({
  units: z.record(unitName, unit).refine(someEntries, 'names no unit'),
  roles: z.record(z.string().min(1), role).refine(someEntries, 'names no role'),
});

/** A business unit: how careful to be in it, and what it reaches. */
export type Unit = z.infer<typeof unit>;
/** Some operations (names, or patterns with `*`) in some units. */
export type Grant = z.infer<typeof grant>;
/** Some people and what they may do. */
export type Role = z.infer<typeof role>;
/** The policy as its file says it. */
export type PolicyDocument = z.infer<typeof document>;

/** What exists to be reached: contexts of the kubeconfig, and MySQL instances. The policy can name nothing else. */
export interface TargetNames {
  readonly contexts: readonly string[];
  readonly instances: readonly string[];
}

/** Reads the text of a policy file. Throws a ConfigError that names every problem by its path in the file. */
export function readPolicy(text: string, targets: TargetNames): PolicyDocument {
  const value = readText(text);
  if (value === undefined) throw new ConfigError(['policy: the file is empty']);
  const read = document.safeParse(value);
  if (!read.success) {
    throw new ConfigError(
      read.error.issues.map(({ path, message }) => `policy: ${path.join('.')}: ${message}`),
    );
  }
  const problems = [...unknownTargets(read.data, targets), ...danglingNames(read.data)];
  if (problems.length > 0) throw new ConfigError(problems);
  return read.data;
}

function readText(text: string): unknown {
  try {
    return readYaml(text);
  } catch (error) {
    throw error instanceof InputError ? new ConfigError([`policy: the file ${error.message}`]) : error;
  }
}

/** A name in a grant that means nothing is a typing error that would silently take a right away. */
function danglingNames({ units, roles }: PolicyDocument): string[] {
  const operations = Object.keys(contract).filter(needsUnit);
  return Object.entries(roles).flatMap(([name, { grants }]) =>
    grants.flatMap((each, index) => [
      ...each.operations
        .filter((pattern) => !operations.some((operation) => fits(pattern, operation)))
        .map((pattern) => `policy: roles.${name}.grants.${index}.operations: "${pattern}" fits no operation`),
      ...(each.units === '*' ? [] : each.units)
        .filter((unitOf) => !Object.hasOwn(units, unitOf))
        .map((unitOf) => `policy: roles.${name}.grants.${index}.units: there is no unit "${unitOf}"`),
    ]),
  );
}

function unknownTargets({ units }: PolicyDocument, targets: TargetNames): string[] {
  return Object.entries(units).flatMap(([name, { kubernetes, mysql }]) => [
    ...(kubernetes && !targets.contexts.includes(kubernetes.context)
      ? [`policy: units.${name}.kubernetes.context: KUBECONFIG has no context "${kubernetes.context}"`]
      : []),
    ...mysql
      .filter((each) => !targets.instances.includes(each))
      .map((each) => `policy: units.${name}.mysql: OPS_MYSQL_TARGETS has no instance "${each}"`),
  ]);
}
