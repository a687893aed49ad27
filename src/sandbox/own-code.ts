import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';

/** Files of ours without their types, by URL. */
export type Code = readonly (readonly [url: string, code: string])[];

/** Such as `from './a.ts'`; types that are imported are gone by then. */
const IMPORTED = /\bfrom '(\.[^']+)'/g;
const known = new Map<string, Code>();

/** The code of a file of ours and of all that it imports of ours: what a process has to be given that may read no file. */
export function codeOf(url: string): Code {
  const found = known.get(url) ?? readAll(url);
  known.set(url, found);
  return found;
}

function readAll(url: string): Code {
  const code = new Map<string, string>();
  // A set goes on over what is added meanwhile.
  const urls = new Set([url]);
  for (const each of urls) {
    const text = withoutTypes(readFileSync(new URL(each), 'utf8'));
    code.set(each, text);
    for (const [, specifier = ''] of text.matchAll(IMPORTED)) urls.add(new URL(specifier, each).href);
  }
  return [...code];
}

/** The code of a file that is known to be good: a bad one may leave what strips types broken for good. */
function withoutTypes(text: string): string {
  const { emitWarning } = process;
  // Node warns of this function, on the standard error and in a form of its own.
  process.emitWarning = () => {};
  try {
    return stripTypeScriptTypes(text);
  } finally {
    process.emitWarning = emitWarning;
  }
}
