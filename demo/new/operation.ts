import { join } from 'node:path';
import { ConfigError } from '../../src/errors.ts';
import { loadCatalogue } from '../catalogue.ts';
import { operationSkeletons, type Skeleton } from './operation-skeletons.ts';
import type { Written } from './written.ts';

const PART = /^[a-z][a-z0-9-]*$/;
const NAME_LENGTH = 80;

/** The files of a new operation of the repository at `root`. Throws a ConfigError for a name or a kind that cannot be. */
export async function newOperation(root: string, name: string, kind: string): Promise<Written> {
  const skeleton = skeletonOf(kind);
  const parts = name.split('.');
  if (name.length > NAME_LENGTH || !parts.every((part) => PART.test(part))) {
    throw new ConfigError([
      `"${name}" is no name of an operation: write small letters, digits and dashes with dots between, such as app.cache.flush, ${NAME_LENGTH} characters at most`,
    ]);
  }
  const { find } = await loadCatalogue(join(root, 'operations'));
  if (find(name) !== undefined)
    throw new ConfigError([`there is an operation ${name} already; give this one another name`]);
  const file = `operations/${parts.join('/')}.${skeleton.extension}`;
  const test = `test/operations/${parts.join('-')}.test.ts`;
  const last = parts.at(-1);
  return {
    files: [
      { path: file, text: skeleton.text },
      { path: test, text: testOf(skeleton, name, file) },
    ],
    next: [
      `npm run vitest -- ${test}   # its test, which is good now: change both together`,
      `grant it in deploy/policy.yaml: "- ${name}" among the operations of a role`,
      'npm run policy   # who may run it then, for the second pair of eyes',
      'npm run menu -- --types   # its name and input for your editor',
      `npm run new -- entry <number>-<folder>/<number>-${last} --runs ${name}   # a number on the phone`,
    ],
  };
}

function skeletonOf(kind: string): Skeleton {
  const skeleton = Object.hasOwn(operationSkeletons, kind) ? operationSkeletons[kind] : undefined;
  if (skeleton !== undefined) return skeleton;
  const kinds = Object.keys(operationSkeletons).join(', ');
  throw new ConfigError([`"${kind}" is no kind: write --kind with one of ${kinds}`]);
}

function testOf({ takes, tests }: Skeleton, name: string, file: string): string {
  return `import { expect, test } from 'vitest';
import { ${[...takes, 'operationWith'].join(', ')} } from '#test/operation.ts';

${tests(name, file)}`;
}
