import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';

export const root = join(import.meta.dirname, '../..');

/** A source file of the project; `path` is relative to the root, with slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** Every file that the pattern matches, e.g. `src/**\/*.ts`. */
export function loadFiles(pattern: string): readonly SourceFile[] {
  return globSync(pattern, { cwd: root })
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

/** One import of a file: a path relative to the root, or the name of a package, a `node:` module or `#menu`. */
export interface Import {
  readonly target: string;
  /** Erased before it runs. */
  readonly isType: boolean;
}

/** The imports of a file: static, for their effect, exports from elsewhere, and dynamic ones with a literal name. */
export function readImports({ path, text }: SourceFile): readonly Import[] {
  const code = withoutComments(text);
  const found = [
    ...code.matchAll(/^(?:import|export)\s+(type\s)?(?:[^'"`;]*?\sfrom\s+)?'([^']+)'/gm),
    ...code.matchAll(/\bimport\(\s*()'([^']+)'\s*\)/g),
  ];
  return found.map(([, type, name = '']) => ({
    target: targetOf(name, path),
    isType: Boolean(type),
  }));
}

function targetOf(name: string, importer: string): string {
  if (name.startsWith('.')) return relative('.', normalize(join(dirname(importer), name)));
  return name.startsWith('#test/') ? name.replace('#test', 'test/helpers') : packageOf(name);
}

/** Comments; what follows `//` in a string is taken for one, which no rule of the house looks at. */
const COMMENT = /\/\*[\s\S]*?\*\/|(?<![:'"`])\/\/.*$/gm;

/** The code without its comments. */
export function withoutComments(text: string): string {
  return text.replace(COMMENT, '');
}

/** The comments of a file, without its code. */
export function commentsOf(text: string): string {
  return [...text.matchAll(COMMENT)].join('\n');
}

function packageOf(name: string): string {
  const depth = name.startsWith('@') ? 2 : 1;
  return name.split('/').slice(0, depth).join('/');
}
