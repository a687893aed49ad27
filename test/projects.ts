import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadFiles, readImports, root, type SourceFile } from './house/sources.ts';

/** `fast` holds the tests that need nothing but Node; `servers` those that start processes or use a real database. */
export type Project = 'fast' | 'servers';

/** Whoever imports one of these, even through others, starts a process or uses the database of the run. */
const NEEDS_SERVERS = ['node:child_process', 'playwright-core', 'test/helpers/database.ts'];

/**
 * Every test file in the project where its imports put it. Nobody keeps a list: a test that begins to import a server
 * moves to `servers` by itself.
 */
export function testFiles(): Readonly<Record<Project, readonly string[]>> {
  const files = loadFiles('test/**/*.test.ts');
  const { fast = [], servers = [] } = Object.groupBy(files, (file) => projectOf(file));
  return { fast: fast.map(({ path }) => path), servers: servers.map(({ path }) => path) };
}

/** The project of one test file. */
export function projectOf(file: SourceFile): Project {
  const seen = new Set(importsOf(file));
  for (const name of seen) {
    if (NEEDS_SERVERS.includes(name)) return 'servers';
    for (const next of known.get(name) ?? read(name)) seen.add(next);
  }
  return 'fast';
}

/** What is known of files that were read; a package imports nothing that matters here. */
const known = new Map<string, readonly string[]>();

function read(path: string): readonly string[] {
  const isOurs = path.endsWith('.ts') && existsSync(join(root, path));
  const names = isOurs ? importsOf({ path, text: readFileSync(join(root, path), 'utf8') }) : [];
  known.set(path, names);
  return names;
}

function importsOf(file: SourceFile): readonly string[] {
  return readImports(file)
    .filter(({ isType }) => !isType)
    .map(({ target }) => (target === '#menu' ? 'src/menu/index.ts' : target));
}
