import { resolve } from 'node:path';
import * as z from 'zod';
import { ConfigError } from '../../errors.ts';
import { readYaml } from '../../server/yaml.ts';
import { createDeclared } from '../declared/index.ts';
import { loadOperations } from '../operations/load.ts';
import type { Operation } from '../operations/operation.ts';
import { fits, type PolicyDocument, readPolicy } from '../policy/document.ts';
import { readPolicyText } from '../policy/file.ts';
import { type Grantable, whereReached } from '../policy/policy.ts';
import { visible } from './columns.ts';
import { isPattern } from './rights.ts';

/** What there is to know of an operation for whoever grants it. */
export interface GrantedOperation extends Grantable, Pick<Operation, 'title' | 'limits'> {
  /** `gone` when only the policy names it. */
  readonly kind: 'read' | 'change' | 'gone';
}

/** A policy file, read over the operations of a folder. */
export interface Reading {
  readonly file: string;
  readonly folder: string;
  readonly document: PolicyDocument;
  readonly operations: ReadonlyMap<string, GrantedOperation>;
}

/** Where a policy and its operations stand, and the options that say so. */
export interface Source {
  readonly file: string;
  readonly folder: string;
  readonly option: '--file' | '--against';
}

/**
 * Reads a policy without a cluster, a database or a setting: contexts, instances and files are taken as it names them. What
 * is compared with may also name operations that are gone since. Throws a ConfigError of every problem.
 */
export async function readSource({ file, folder, option }: Source): Promise<Reading> {
  const operations = await operationsIn(folder);
  try {
    const text = readPolicyText(file, option);
    const isKnown = (pattern: string) => [...operations.keys()].some((name) => fits(pattern, name));
    const gone = option === '--against' ? namedIn(text).filter((pattern) => !isKnown(pattern)) : [];
    for (const name of gone.filter((each) => !isPattern(each)))
      operations.set(name, { name, kind: 'gone', title: '' });
    const document = readPolicy(text, {
      contextProblem: () => undefined,
      instances: { includes: () => true },
      authoritiesIn: (file) => file,
      operations: [...operations.keys(), ...gone],
    });
    const reached = [...operations].map(
      ([name, each]) => [name, whereReached(each, document.units)] as const,
    );
    return { file, folder, document, operations: new Map(reached) };
  } catch (error) {
    throw error instanceof ConfigError ? refusal(`${file} is refused:`, error) : error;
  }
}

async function operationsIn(folder: string): Promise<Map<string, GrantedOperation>> {
  try {
    // Nothing is run here, and so no secret is needed.
    const { operations } = await loadOperations(resolve(folder), createDeclared({ environment: undefined }));
    const read = [...operations.values()].map(
      ({ name, operation: { kind, title, units, needs, services, limits } }) => {
        return [name, { name, kind, title, units, needs, services, limits }] as const;
      },
    );
    return new Map(read);
  } catch (error) {
    throw error instanceof ConfigError ? refusal(`The operations in ${folder} are refused:`, error) : error;
  }
}

/** Problems may quote the file, which a terminal would obey. */
function refusal(head: string, { problems }: ConfigError): ConfigError {
  return new ConfigError([head, ...problems.map((problem) => `  ${visible(problem)}`)]);
}

const naming = z.object({
  roles: z.record(z.string(), z.object({ grants: z.array(z.object({ operations: z.array(z.string()) })) })),
});

/** The names and patterns of a policy's grants; none when it has not even the form of one, which is told elsewhere. */
function namedIn(text: string): readonly string[] {
  try {
    const { roles } = naming.parse(readYaml(text));
    const grants = Object.values(roles).flatMap((role) => role.grants);
    return grants.flatMap(({ operations }) => operations).filter((name) => /^[a-z0-9.*-]+$/.test(name));
  } catch {
    return [];
  }
}
