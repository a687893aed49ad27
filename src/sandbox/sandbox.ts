import { ConfigError } from '../errors.ts';
import type { MenuFiles } from '../menu/tree/build.ts';
import { menuRules } from '../menu/tree/load.ts';
import { readSources } from '../server/module-folder.ts';
import { readEntries } from './entries.ts';
import { createProgram, type Program, type ProgramLimits } from './program.ts';
import { stripTypes } from './strip.ts';

interface SandboxParts {
  /** A function of this file had to be stopped; without a file, a process has ended while it was at none. */
  onStopped(file: string | undefined, why: string): void;
  /** Unix ms. */
  now(): number;
  readonly limits?: Partial<ProgramLimits>;
}

const LIMITS: ProgramLimits = {
  busyMs: 2000,
  loadMs: 10_000,
  callMs: 30_000,
  idleMs: 600_000,
  heapMiB: 256,
  asks: 100,
};
/** One more than are held of the trees that are made of them. */
const KEPT = 5;

/** Runs the menus of one folder outside of this process, each generation in one of its own (process.ts). */
export type Sandbox = ReturnType<typeof createSandbox>;

/** Makes the sandbox of a folder; nothing is loaded yet. */
export function createSandbox({ onStopped, now, limits }: SandboxParts) {
  let kept: readonly { readonly program: Program; readonly loaded: MenuFiles }[] = [];
  return {
    /**
     * Loads the folder as it is now. Throws a ConfigError of every problem, each with its file; what was loaded before goes
     * on, undisturbed even by a file that never ends loading.
     */
    async loadFiles(folder: string): Promise<MenuFiles> {
      const sources = await readSources(folder, menuRules);
      const { generation } = sources;
      const before = kept.find(({ loaded }) => loaded.generation === generation);
      if (before !== undefined) return before.loaded;
      const allowed = { ...LIMITS, ...limits };
      const program = createProgram({
        sources: await stripTypes(sources, allowed),
        limits: allowed,
        onStopped,
        now,
      });
      try {
        const loaded = { generation, files: readEntries(await program.load(), program.call) };
        for (const { program: old } of kept.slice(KEPT - 1)) old.end();
        kept = [{ program, loaded }, ...kept].slice(0, KEPT);
        return loaded;
      } catch (error) {
        program.end();
        throw error instanceof ConfigError ? error : new ConfigError([`${folder}: ${error}`]);
      }
    },
    /** Ends all processes. */
    close(): void {
      for (const { program } of kept) program.end();
    },
  };
}
