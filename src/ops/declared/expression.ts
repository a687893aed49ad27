import { compile, isRegistered, type JSONValue, TreeInterpreter } from '@jmespath-community/jmespath';
import { InputError } from '../../errors.ts';

/** What is taken of a JSON answer. Throws an InputError, without a word of the answer, where that has another form. */
export type Expression = (json: unknown) => unknown;

/** So many lines are shown of an answer. */
const MOST_LINES = 100;

/** Reads an expression of JMESPath. Throws an InputError that says what is wrong with it. */
export function readExpression(text: string): Expression {
  const tree = compiled(text);
  const unknown = functionsIn(tree).find((name) => !isRegistered(name));
  if (unknown !== undefined) throw new InputError(`has the function ${unknown}(), which JMESPath has not`);
  return (json) => {
    try {
      return TreeInterpreter.search(tree, json as JSONValue);
    } catch {
      throw new InputError('the expression does not fit the answer');
    }
  };
}

/** What an expression found, as lines: a value each, or name and value. */
export function linesOf(found: unknown): string[] {
  const lines = Array.isArray(found) ? found.map(lineOf) : linesOfOne(found);
  if (lines.length <= MOST_LINES) return lines;
  return [...lines.slice(0, MOST_LINES), `……只列出前 ${MOST_LINES} 行`];
}

function linesOfOne(found: unknown): string[] {
  if (found === null || found === undefined) return [];
  return typeof found === 'object' ? Object.entries(found).map(pairOf) : [lineOf(found)];
}

function lineOf(value: unknown): string {
  if (value === null) return '（空）';
  if (typeof value !== 'object') return String(value);
  return Array.isArray(value) ? JSON.stringify(value) : Object.entries(value).map(pairOf).join('，');
}

function pairOf([name, value]: readonly [string, unknown]): string {
  return `${name} ${typeof value === 'object' && value !== null ? JSON.stringify(value) : lineOf(value)}`;
}

function compiled(text: string) {
  try {
    return compile(text);
  } catch (error) {
    throw new InputError(`is no JMESPath: ${error instanceof Error ? error.message : error}`);
  }
}

/** The names of the functions that a tree calls, at any depth. */
function functionsIn(tree: unknown): readonly string[] {
  if (typeof tree !== 'object' || tree === null) return [];
  const { type, name } = tree as { readonly type?: unknown; readonly name?: unknown };
  const own = type === 'Function' && typeof name === 'string' ? [name] : [];
  return [...own, ...Object.values(tree).flatMap(functionsIn)];
}
