import { loadCatalogue } from '../../demo/catalogue.ts';
import { createDeclared } from '../../src/ops/declared/index.ts';
import { loadOperations } from '../../src/ops/operations/load.ts';
import type { ChangeOperation, ReadOperation } from '../../src/ops/operations/operation.ts';

const { operations } = await loadOperations('operations', createDeclared({ environment: undefined }));

/** The operations of this repository, as a bot learns of them. */
export const catalogue = await loadCatalogue('operations');

/** Their names. */
export const operationNames: readonly string[] = [...operations.keys()];

/** The same as rights see them. */
export const grantable = operationNames.map((name) => ({ name }));

/** A read of this repository. */
export function readNamed(name: string): ReadOperation {
  return operations.get(name)?.operation as ReadOperation;
}

/** A change of this repository. */
export function changeNamed(name: string): ChangeOperation {
  return operations.get(name)?.operation as ChangeOperation;
}
