import { defineConfig } from 'vitest/config';

/**
 * Tests run what ships: Node strips the types itself, Vite transforms nothing.
 * One private MariaDB serves the whole run (test/helpers/global-setup.ts); each file that needs Redis starts its own.
 */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/helpers/global-setup.ts'],
    experimental: { viteModuleRunner: false },
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
