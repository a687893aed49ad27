import * as z from 'zod';
import { instance } from '../../contract/operation.ts';
import { ConfigError, InputError } from '../../errors.ts';
import type { ReadOperation } from '../operations/operation.ts';
import { readDeclaration } from './declaration.ts';
import { schemaOf, type Values } from './inputs.ts';
import { readTemplate } from './template.ts';

const form = z.strictObject({
  /** An instance of the policy; where it is left out, the only one of the unit. */
  instance: instance.optional(),
  /** Where it is left out, the one that the address of the instance names (OPS_MYSQL_TARGETS). */
  database: z
    .string()
    .regex(/^[\w$-]{1,64}$/, 'is no name of a database')
    .optional(),
  /** One statement; `{name}` stands for a value and never for a part of the statement. */
  query: z.string().min(1).max(8000),
  /** So many rows are shown; more are named as left out. */
  rows: z.int().min(1).max(1000).default(100),
  /** For so long the server works on it. */
  seconds: z.int().min(1).max(10).default(3),
});

/**
 * Reads the declaration of a report: a query with bound values, run in a transaction that cannot write, for a time and a
 * number of rows. Throws a ConfigError of every problem.
 */
export function readSql(text: string): ReadOperation<Values, string[]> {
  const { title, risk, input, own, ...rest } = readDeclaration(text, 'sql', form);
  const problems: string[] = [];
  if (risk !== 'read') problems.push('risk: a query only looks; write read');
  if (!/^\s*(select|with|show|explain)\b/i.test(own.query))
    problems.push('sql.query: begins with select, with, show or explain');
  if (/;\s*\S/.test(own.query)) problems.push('sql.query: is one statement');
  const bound = bind(own.query, ['unit', ...Object.keys(input)], problems);
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    ...rest,
    kind: 'read',
    title,
    input: schemaOf(input),
    output: z.array(z.string()),
    async run(context, values) {
      const { unit } = values as { readonly unit: string };
      const [only, ...others] = context.instances(unit);
      const name = own.instance ?? (others.length === 0 ? only : undefined);
      if (name === undefined) throw new InputError(`「${unit}」有几个数据库实例，这个操作没有写明是哪一个`);
      const server = context.mysql(unit, name);
      const { database, rows: most, seconds } = own;
      const report = {
        database,
        statement: bound.statement,
        values: bound.names.map((each) => `${values[each]}`),
      };
      const found = await server.report({ ...report, rows: most + 1, seconds }).catch(server.failed);
      const lines = found.slice(0, most).map(lineOf);
      if (found.length > most) lines.push(`……只列出前 ${most} 行`);
      return lines;
    },
  };
}

/** The statement with `?` for each part, and the names of the parts in their order. */
function bind(query: string, known: readonly string[], problems: string[]) {
  try {
    const template = readTemplate(query, known);
    if (/['"`][^'"`]*\{/.test(query.replaceAll(/(['"`])(?:(?!\1)[^\\{}]|\\.)*\1/g, ''))) {
      problems.push('sql.query: a part stands in quotes; it is a value by itself, so take the quotes away');
    }
    return { statement: template.fill(() => '?').replace(/;\s*$/, ''), names: template.names };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    problems.push(`sql.query: ${error.message}`);
    return { statement: '', names: [] };
  }
}

/** One row as a line: its values with their names. */
function lineOf(row: Readonly<Record<string, unknown>>): string {
  return Object.entries(row)
    .map(([name, value]) => `${name} ${textOf(value)}`)
    .join('，');
}

function textOf(value: unknown): string {
  if (value === null) return '（空）';
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return `（${value.length} 字节）`;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
