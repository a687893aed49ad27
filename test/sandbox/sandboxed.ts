import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fakeOps, type Phone, phoneWith } from '#test/phone.ts';
import { buildTree } from '../../src/menu/tree/build.ts';
import type { Tree } from '../../src/menu/tree/tree.ts';
import type { ProgramLimits } from '../../src/sandbox/program.ts';
import { createSandbox } from '../../src/sandbox/sandbox.ts';

/** The first screen of most menus here. */
export const ROOT = `import { folder } from '#menu';\nexport default folder({ title: '首页' });\n`;

/** An entry that answers what this code returns. */
export const answering = (code: string, before = '') =>
  `import { action } from '#menu';\n${before}\nexport default action({ title: 'a', run: async (context) => { ${code} } });\n`;

/** A menu folder in a sandbox, and phones at what is loaded from it. */
export interface Sandboxed {
  write(path: string, text: string): void;
  load(): Promise<Tree>;
  phone(tree: Tree, ops?: Parameters<typeof fakeOps>[0]): Promise<Phone>;
  /** The files whose functions were stopped, each with why. */
  readonly stopped: string[];
  /** Moves the clock on. */
  wait(milliseconds: number): void;
  close(): void;
}

/** Makes one of these files, anywhere on the disk. */
export function sandboxed(
  files: Readonly<Record<string, string>>,
  limits: Partial<ProgramLimits> = {},
): Sandboxed {
  const directory = mkdtempSync(join(tmpdir(), 'keypad-sandbox-'));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  };
  for (const [path, text] of Object.entries(files)) write(path, text);
  const stopped: string[] = [];
  let now = 1_767_225_600_000;
  const sandbox = createSandbox({
    onStopped: (file, why) => void stopped.push(`${file}: ${why}`),
    now: () => now,
    limits,
  });
  return {
    write,
    async load() {
      const loaded = await sandbox.loadFiles(directory);
      return buildTree(loaded.files, loaded.generation, undefined);
    },
    phone: (tree, ops = {}) => phoneWith(tree, { ops: fakeOps(ops) }),
    stopped,
    wait: (milliseconds) => {
      now += milliseconds;
    },
    close() {
      sandbox.close();
      rmSync(directory, { recursive: true });
    },
  };
}
