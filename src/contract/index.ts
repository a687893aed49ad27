import type * as z from 'zod';
import { kubernetes } from './kubernetes.ts';
import { mysql } from './mysql.ts';
import type { Operation } from './operation.ts';
import { platform } from './platform.ts';

/** Every operation that bot and ops know, by name. The one list: names elsewhere are checked against it. */
export const contract = { ...platform, ...kubernetes, ...mysql } as const;

type Contract = typeof contract;
type Named<K extends Operation['kind']> = {
  [N in OperationName]: Contract[N]['kind'] extends K ? N : never;
}[OperationName];
export type OperationName = keyof Contract;
export type ReadName = Named<'read'>;
export type ChangeName = Named<'change'>;
export type AcknowledgeName = Named<'acknowledge'>;
export type InputOf<N extends OperationName> = z.infer<Contract[N]['input']>;
export type OutputOf<N extends ReadName | AcknowledgeName> = z.infer<
  Extract<Contract[N], { readonly output: z.ZodType }>['output']
>;

/** Narrows a string to the name of an operation. */
export function isOperation(name: string): name is OperationName {
  return Object.hasOwn(contract, name);
}

/** Which operations a menu entry may need or run: acknowledgements belong to the bot. */
export const menuOperations = {
  isOperation: (name: string): boolean => isOperation(name) && contract[name].kind !== 'acknowledge',
  isChange: (name: string): boolean => isOperation(name) && contract[name].kind === 'change',
} as const;

/** The reads by name, as the menu's types see them. */
export type ReadTable = {
  readonly [N in ReadName]: { readonly input: InputOf<N>; readonly output: OutputOf<N> };
};

/** The changes by name, as the menu's types see them. */
export type ChangeTable = { readonly [N in ChangeName]: { readonly input: InputOf<N> } };
