import { defineConfig } from 'vitest/config';
import { testFiles } from './test/projects.ts';

const { fast, servers } = testFiles();

/**
 * Tests run what ships: Node strips the types itself, Vite transforms nothing. Workers keep the modules they have loaded
 * from file to file; `fast` goes first. One private MariaDB serves the whole project `servers`. `--mode long` runs the large sizes,
 * `--mode attack` those of hostile input.
 */
export default defineConfig(({ mode }) => {
  const shared = {
    experimental: { viteModuleRunner: false },
    pool: 'forks',
    isolate: false,
    provide: { isLong: mode === 'long', isAttack: mode === 'attack' },
    testTimeout: mode === 'long' || mode === 'attack' ? 600_000 : 30_000,
    hookTimeout: 60_000,
    // What becomes true at once takes longer than Vitest's second when the machine is busy.
    expect: { poll: { timeout: 20_000 } },
  } as const;
  return {
    test: {
      projects: [
        {
          test: {
            ...shared,
            name: 'fast',
            include: [...fast],
            setupFiles: ['test/helpers/no-processes.ts'],
            maxWorkers: 2,
            sequence: { groupOrder: 0 },
          },
        },
        {
          test: {
            ...shared,
            name: 'servers',
            include: [...servers],
            globalSetup: ['test/helpers/global-setup.ts'],
            // One more than a small machine has processors: half of their time they wait, for a lease or a server. With
            // two more, answers that have to come within WeCom's seconds come close to them.
            maxWorkers: mode === 'long' ? 2 : 3,
            sequence: { groupOrder: 1 },
          },
        },
      ],
    },
  };
});
