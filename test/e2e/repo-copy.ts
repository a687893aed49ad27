import { execFile } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const ROOT = join(import.meta.dirname, '../..');

const PARTS = [
  ...['src', 'demo', 'menus', 'operations', 'test', 'deploy'],
  ...['package.json', 'tsconfig.json', 'biome.json', 'vitest.config.ts'],
];

/** Makes a copy of the repository, in which an author may do anything; the caller removes it. */
export function copyRepository(): string {
  const copy = mkdtempSync(join(tmpdir(), 'keypad-author-'));
  // Whoever the scripts of operations run as has to reach them.
  chmodSync(copy, 0o755);
  for (const part of PARTS) cpSync(join(ROOT, part), join(copy, part), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** Runs a tool of the project in the copy, and answers what it printed; when it fails, that is in the error. */
export async function runIn(copy: string, tool: string, args: readonly string[]): Promise<string> {
  const env = { ...process.env, NO_COLOR: '1' };
  const running = promisify(execFile)(tool, [...args], { cwd: copy, env });
  const { stdout } = await running.catch((error: Error & { readonly stdout: string }) => {
    throw new Error(`${error.message}\n${error.stdout}`);
  });
  return stdout;
}
