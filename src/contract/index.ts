import type * as z from 'zod';
import { kubernetes } from './kubernetes.ts';
import { mysql } from './mysql.ts';
import type { Change, Read } from './operation.ts';
import { platform } from './platform.ts';

/** Every operation that bot and ops know, by name. The one list: names elsewhere are checked against it. */
export const contract = { ...platform, ...kubernetes, ...mysql } as const;

type Contract = typeof contract;
export type OperationName = keyof Contract;
export type ReadName = { [N in OperationName]: Contract[N] extends Read ? N : never }[OperationName];
export type ChangeName = { [N in OperationName]: Contract[N] extends Change ? N : never }[OperationName];
export type InputOf<N extends OperationName> = z.infer<Contract[N]['input']>;
export type OutputOf<N extends ReadName> = z.infer<Extract<Contract[N], Read>['output']>;

/** Narrows a string to the name of an operation. */
export function isOperation(name: string): name is OperationName {
  return Object.hasOwn(contract, name);
}

/** Whether the name is that of a change, which takes a preview and a confirmation. */
export function isChange(name: string): boolean {
  return isOperation(name) && contract[name].kind === 'change';
}

/** The reads by name, as the menu's types see them. */
export type ReadTable = {
  readonly [N in ReadName]: { readonly input: InputOf<N>; readonly output: OutputOf<N> };
};

/** The changes by name, as the menu's types see them. */
export type ChangeTable = { readonly [N in ChangeName]: { readonly input: InputOf<N> } };
