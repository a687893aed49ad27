import { type ParseOptions, parseDocument, type SchemaOptions, type ToJSOptions } from 'yaml';
import { InputError } from '../errors.ts';

/** So many aliases may stand in a file; a few lines of nested ones would otherwise stand for millions of values. */
const ALIASES = 10;

/**
 * What a YAML text says; `undefined` when it says nothing. Throws an InputError with one sentence that names line and
 * column, and quotes nothing of the text. With `mapAsMap` its maps are a `Map` each, which keeps their order.
 */
export function readYaml(
  text: string,
  options: ParseOptions & SchemaOptions = {},
  form: Pick<ToJSOptions, 'mapAsMap'> = {},
): unknown {
  const yaml = parseDocument(text, { uniqueKeys: true, prettyErrors: true, ...options });
  const [error] = yaml.errors;
  // The first line ends with the place; below it the parser shows the lines around.
  if (error !== undefined)
    throw new InputError(`is no YAML: ${error.message.split('\n')[0]?.replace(/:$/, '')}`);
  try {
    return yaml.toJS({ ...form, maxAliasCount: ALIASES }) ?? undefined;
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    throw new InputError(`has more than ${ALIASES} aliases, or one without its anchor; write the values out`);
  }
}
