import { declaredSkeletons } from './declared-skeletons.ts';
import { moduleSkeletons } from './module-skeletons.ts';

/** What an author begins with: a file that works as it is, and what of its test is its own. */
export interface Skeleton {
  readonly extension: 'ts' | 'yaml';
  readonly text: string;
  /** What the test takes from `test/helpers/operation.ts` before `operationWith`, in the order of Biome. */
  readonly takes: readonly string[];
  /** The tests of the operation `name` in `file`. */
  tests(name: string, file: string): string;
}

/** The kinds of operations, each with its skeleton. */
export const operationSkeletons: Readonly<Record<string, Skeleton>> = {
  ...moduleSkeletons,
  ...declaredSkeletons,
};
