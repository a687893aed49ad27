import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ConfigError } from '../../src/errors.ts';

/** What is written for an author, and what is to be done then. */
export interface Written {
  readonly files: readonly { readonly path: string; readonly text: string }[];
  readonly next: readonly string[];
}

/** Writes all of it into the repository at `root`, or nothing where one of the files is there. */
export function write(root: string, { files }: Written): void {
  const there = files.filter(({ path }) => existsSync(join(root, path)));
  if (there.length > 0) {
    throw new ConfigError(
      there.map(
        ({ path }) => `${path} is there already, and nothing was written: choose another name, or delete it`,
      ),
    );
  }
  for (const { path, text } of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text, { flag: 'wx' });
  }
}
