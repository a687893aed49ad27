import { ConfigError } from '../../errors.ts';
import type { Operation } from '../operations/operation.ts';
import { kindOf } from './declaration.ts';
import { readSql } from './sql.ts';

/** Reads the text of a declaration of that kind. Throws a ConfigError of every problem. */
type ReadKind = (text: string) => Operation;

/** The kinds of operations that need no TypeScript. */
const kinds: Readonly<Record<string, ReadKind>> = { sql: readSql as ReadKind };

/** Reads a declaration of any kind. Throws a ConfigError of every problem, each with its place in the file. */
export function readDeclared(text: string): Operation {
  const kind = kindOf(text);
  const read = typeof kind === 'string' && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (read === undefined) throw new ConfigError([`kind: is one of ${Object.keys(kinds).join(', ')}`]);
  return read(text);
}
