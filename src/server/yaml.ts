import {
  type Document,
  isCollection,
  isScalar,
  LineCounter,
  type Node,
  type ParseOptions,
  parseDocument,
  type SchemaOptions,
  type ToJSOptions,
  visit,
} from 'yaml';
import { InputError } from '../errors.ts';

/** So many aliases may stand in a file; a few lines of nested ones would otherwise stand for millions of values. */
const ALIASES = 10;
/** So deep lists and maps may stand in each other; the parser calls itself for each. */
const DEPTH = 50;
const TOO_DEEP = `over ${DEPTH} lists and maps stand in each other`;

/**
 * What a YAML text says; `undefined` when it says nothing. Throws an InputError with one sentence that names line and
 * column, and quotes nothing of the text; never anything else, whatever the text is. With `mapAsMap` its maps are a `Map`
 * each, which keeps their order.
 */
export function readYaml(
  text: string,
  options: ParseOptions & SchemaOptions = {},
  form: Pick<ToJSOptions, 'mapAsMap'> = {},
): unknown {
  try {
    const lineCounter = new LineCounter();
    // What the parser only warns of, such as an unknown tag, is a mistake here; it would print that by itself.
    // It compares each name with all others to see whether they are different, which takes seconds where there are many.
    const yaml = parseDocument(text, { uniqueKeys: false, logLevel: 'error', lineCounter, ...options });
    const [problem] = [...yaml.errors, ...yaml.warnings];
    // The first line ends with the place; below it the parser shows the lines around.
    if (problem !== undefined) {
      const [message = ''] = problem.message.split('\n');
      throw new InputError(
        `is no YAML: ${message.replace(/:$/, '').replace('Maximum call stack size exceeded', TOO_DEEP)}`,
      );
    }
    refuseWhatIsNoPlainData(yaml, lineCounter);
    return yaml.toJS({ ...form, maxAliasCount: ALIASES }) ?? undefined;
  } catch (error) {
    if (error instanceof InputError) throw error;
    if (error instanceof ReferenceError)
      throw new InputError(`has more than ${ALIASES} aliases; write the values out`);
    throw new InputError('cannot be read as YAML; make it simpler');
  }
}

/** Throws an InputError for what stands for something else than it says, or for a value that is no text, number, list or map. */
function refuseWhatIsNoPlainData(yaml: Document, lineCounter: LineCounter): void {
  const refuse = (node: Node, what: string): never => {
    const { line, col } = lineCounter.linePos(node.range?.[0] ?? 0);
    throw new InputError(`is wrong at line ${line}, column ${col}: ${what}`);
  };
  const check = (node: Node, path: readonly unknown[]): void => {
    if (path.filter(isCollection).length > DEPTH) refuse(node, TOO_DEEP);
    if (node.tag !== undefined) refuse(node, 'a text that begins with ! is a tag to YAML; put it in quotes');
  };
  visit(yaml, {
    Scalar: (_, node, path) => check(node, path),
    Seq: (_, node, path) => check(node, path),
    Alias(_, node, path) {
      const target = node.resolve(yaml);
      if (target === undefined)
        refuse(node, 'a text that begins with * is an alias to YAML; put it in quotes');
      if (path.some((around) => around === target)) refuse(node, 'an alias stands inside of what it means');
    },
    Map(_, node, path) {
      check(node, path);
      const names = new Set<unknown>();
      for (const { key } of node.items) {
        if (!isScalar(key)) return refuse(key as Node, 'only a text can be a name');
        if (names.has(String(key.value))) refuse(key, 'this name stands here twice');
        names.add(String(key.value));
      }
    },
  });
}
