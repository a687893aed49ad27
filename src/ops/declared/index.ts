import { ConfigError } from '../../errors.ts';
import type { Declare } from '../operations/load.ts';
import type { Operation } from '../operations/operation.ts';
import { readCommand } from './command.ts';
import { type DeclaredParts, kindOf } from './declaration.ts';
import { readHttp } from './http.ts';
import { readJob } from './job.ts';
import { readSql } from './sql.ts';

/** Reads the text of a declaration of that kind. Throws a ConfigError of every problem. */
type ReadKind = (text: string, parts: DeclaredParts) => Operation;

/** The kinds of operations that need no TypeScript. */
const kinds: Readonly<Record<string, ReadKind>> = {
  command: readCommand,
  http: readHttp,
  job: readJob as ReadKind,
  sql: readSql as ReadKind,
};

/** Makes what reads a declaration of any kind. That throws a ConfigError of every problem, each with its place in the file. */
export function createDeclared(parts: DeclaredParts): Declare {
  return (text) => {
    const kind = kindOf(text);
    const read = typeof kind === 'string' && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
    if (read === undefined) throw new ConfigError([`kind: is one of ${Object.keys(kinds).join(', ')}`]);
    return read(text, parts);
  };
}
