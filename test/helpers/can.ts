import { principal } from '../../src/contract/principal.ts';
import { createPolicy } from '../../src/ops/policy/policy.ts';
import { readSource } from '../../src/ops/review/read.ts';

/** What is asked besides; left out, the person is in no department, and the files are those of this repository. */
interface Options {
  /** Ids of departments that WeCom has the person in. */
  readonly departments?: readonly number[];
  /** The policy. */
  readonly file?: string;
  /** The folder of operations. */
  readonly operations?: string;
}

/**
 * Whether the platform lets somebody run an operation in a unit, for tests of a policy. Throws for an operation or a unit
 * that is not there: a misspelt one would be refused for ever, and its test would show nothing.
 */
export async function can(
  user: string,
  operation: string,
  unit: string,
  { departments = [], file = 'deploy/policy.yaml', operations: folder = 'operations' }: Options = {},
): Promise<boolean> {
  const { document, operations } = await readSource({ file, folder, option: '--file' });
  if (!operations.has(operation)) throw new Error(`there is no operation "${operation}" in ${folder}`);
  const policy = createPolicy(document, [...operations.values()]);
  if (policy.unit(unit) === undefined) throw new Error(`there is no unit "${unit}" in ${file}`);
  return policy.allows({ user: principal.parse(user), departments }, operation, unit);
}
