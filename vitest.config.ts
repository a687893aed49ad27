import { defineConfig } from 'vitest/config';
import { testFiles } from './test/projects.ts';

const { fast, servers } = testFiles();

/**
 * Tests run what ships: Node strips the types itself, Vite transforms nothing. Workers keep the modules they have loaded
 * from file to file. One private MariaDB serves the whole project `servers`. `--mode long` runs the large sizes.
 */
export default defineConfig(({ mode }) => {
  const shared = {
    experimental: { viteModuleRunner: false },
    pool: 'forks',
    isolate: false,
    provide: { isLong: mode === 'long' },
    testTimeout: mode === 'long' ? 300_000 : 30_000,
    hookTimeout: 60_000,
  } as const;
  return {
    test: {
      maxWorkers: 2,
      projects: [
        {
          test: { ...shared, name: 'fast', include: [...fast], setupFiles: ['test/helpers/no-processes.ts'] },
        },
        {
          test: {
            ...shared,
            name: 'servers',
            include: [...servers],
            globalSetup: ['test/helpers/global-setup.ts'],
          },
        },
      ],
    },
  };
});
