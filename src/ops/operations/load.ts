import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import * as z from 'zod';
import { isPlatform } from '../../contract/platform.ts';
import { ConfigError } from '../../errors.ts';
import { onOneLine } from '../../plain-text.ts';
import { loadModules, type ModuleRules, readSources, type Sources } from '../../server/module-folder.ts';
import type { Operation } from './operation.ts';

/** An operation under its name. */
export interface NamedOperation {
  readonly name: string;
  /** The file that declares it, inside of the folder. */
  readonly file: string;
  /** A hash of that file and of all that it may import: what was previewed under another one is not run. */
  readonly definition: string;
  readonly operation: Operation;
  /** JSON Schema of its input, and of the output of a read. */
  readonly input: JsonSchema;
  readonly output?: JsonSchema;
}

/** Reads the text of a declaration. Throws a ConfigError of every problem, each with its place in the file. */
export type Declare = (text: string) => Operation;

export type JsonSchema = Readonly<Record<string, unknown>>;

/** One generation: the operations by name, in the order of their files. Generations of the same name were read from the same files. */
export interface OperationTable {
  readonly generation: string;
  readonly operations: ReadonlyMap<string, NamedOperation>;
}

const NAME = /^[a-z][a-z0-9-]*$/;
const DECLARED = /\.yaml$/;
const NAME_LENGTH = 80;
const TITLE_LENGTH = 30;

/** What an operation is made with: its own file, the libraries below, and nothing that reaches past what it is handed. */
const RULES: ModuleRules = {
  setting: 'OPERATIONS_DIR',
  holds: 'the operations',
  problemOf(path) {
    // What is no operation may be a script that one runs.
    if (isShared(posix.dirname(path))) return undefined;
    const name = posix.basename(path).replace(/\.(ts|yaml)$/, '');
    if (name.startsWith('_') || (NAME.test(name) && /(\/|\.ts|\.yaml)$/.test(path))) return undefined;
    return 'name it with small letters, digits and dashes, such as scale.ts or flush.yaml, or start it with _ if it is no operation';
  },
  isModule: (path) => path.endsWith('.ts') && !isShared(path),
  isShared,
  names: {
    '#operations': new URL('./index.ts', import.meta.url).href,
    zod: import.meta.resolve('zod'),
    '@kubernetes/client-node': import.meta.resolve('@kubernetes/client-node'),
    'node:crypto': 'node:crypto',
  },
  remedy:
    'an operation imports #operations, zod, @kubernetes/client-node, node:crypto, and files of its folder whose names start with _',
};

function isShared(path: string): boolean {
  return path.split('/').some((part) => part.startsWith('_'));
}

/**
 * Reads every file of a folder as one new generation. An operation is called by its path: `operations/k8s/scale.ts` is `k8s.scale`.
 * Throws a ConfigError of every problem, each naming a file and the remedy.
 */
export async function loadOperations(folder: string, declare: Declare): Promise<OperationTable> {
  const sources = await readSources(folder, RULES);
  const modules = await loadModules(folder, sources, RULES);
  const problems: string[] = [];
  const operations = new Map<string, NamedOperation>();
  const add = (path: string, found: NamedOperation | readonly string[]): void => {
    if ('name' in found) {
      const twin = operations.get(found.name);
      if (twin !== undefined)
        problems.push(`${path}: has the name of ${twin.file}; give one of them another`);
      operations.set(found.name, found);
    } else problems.push(...found.map((problem) => `${path}: ${problem}`));
  };
  for (const { path, exported } of modules) add(path, named(path, exported.default, sources));
  for (const [path, text] of sources.files) {
    if (DECLARED.test(path) && !isShared(path)) add(path, named(path, declaredIn(text, declare), sources));
  }
  for (const { file, operation } of operations.values()) {
    for (const name of operation.needs ?? []) {
      const needed = operations.get(name)?.operation;
      if (needed === undefined)
        problems.push(`${file}: needs "${name}", which is no operation of this folder`);
      else if (needed.needs !== undefined)
        problems.push(`${file}: needs "${name}", which itself needs others; name those`);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return { generation: sources.generation, operations };
}

/** What a declaration says, or what is wrong with it. */
function declaredIn(text: string, declare: Declare): Operation | readonly string[] {
  try {
    return declare(text);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

/** The operation of a file, or what is wrong with it. */
function named(file: string, declared: unknown, sources: Sources): NamedOperation | readonly string[] {
  if (Array.isArray(declared)) return declared;
  if (!isOperation(declared)) return ['has no default export made by read() or change()'];
  const name = file.replace(/\.\w+$/, '').replaceAll('/', '.');
  const problems: string[] = [];
  if (name.length > NAME_LENGTH)
    problems.push(`its name is over ${NAME_LENGTH} characters; move it up or shorten it`);
  if (isPlatform(name)) problems.push(`${name} is an operation of the platform itself; name it otherwise`);
  const { title } = declared;
  if (typeof title !== 'string' || title.trim() === '') problems.push('has no title');
  else if ([...title].length > TITLE_LENGTH || onOneLine(title) !== title) {
    problems.push(`the title is over ${TITLE_LENGTH} characters or not one plain line; shorten it`);
  }
  const input = schemaOf(declared.input, 'input', problems);
  const output = declared.kind === 'read' ? schemaOf(declared.output, 'output', problems) : undefined;
  const required = (input?.required ?? []) as readonly unknown[];
  if (input && (input.type !== 'object' || !required.includes('unit'))) {
    problems.push('its input is no object with `unit`; a right is always one in a unit');
  }
  if (problems.length > 0 || input === undefined) return problems;
  const definition = definitionOf(file, sources);
  return { name, file, definition, operation: declared, input, ...(output && { output }) };
}

function isOperation(value: unknown): value is Operation {
  const { kind } = Object(value) as { readonly kind?: unknown };
  return kind === 'read' || kind === 'change';
}

function schemaOf(schema: unknown, what: string, problems: string[]): JsonSchema | undefined {
  try {
    return z.toJSONSchema(schema as z.ZodType, { io: 'input' }) as JsonSchema;
  } catch (error) {
    problems.push(`its ${what} has no JSON Schema: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}

/** A hash of a file with every shared file of the folder: it may import any of them, and they one another. */
function definitionOf(file: string, { files }: Sources): string {
  const hash = createHash('sha256');
  for (const [path, text] of files) {
    if (path === file || isShared(path)) hash.update(path).update('\0').update(text).update('\0');
  }
  return hash.digest('base64url');
}
