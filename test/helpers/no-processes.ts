import childProcess from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';

/** Set up for every file of the fast project: whatever would start a process there says so instead. */
for (const name of ['spawn', 'spawnSync', 'exec', 'execSync', 'execFile', 'execFileSync', 'fork'] as const) {
  Object.assign(childProcess, {
    [name]: (command: string) => {
      throw new Error(`a test of the fast project starts a process: ${command} (see test/projects.ts)`);
    },
  });
}
syncBuiltinESMExports();
