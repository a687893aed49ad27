import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, wasTold } from './run.mjs';

/** What each mode of testing hands to vitest (see vitest.config.ts). */
const SELECTIONS = {
  test: [],
  'test:fast': ['--project=fast'],
  'test:long': ['--mode=long'],
  // The kit in test/attack, and the tests of floods, endless bodies and foreign text.
  'test:attack': ['--mode=attack', 'test/attack', 'foreign-text', 'flood', 'http-server', 'http/bodies'],
};

/** The compiler runs with SIGTERM blocked, and would go on for half a minute. */
const PATIENCE_MS = 1000;

/** @param {string | undefined} mode */
export const isTestMode = (mode) => mode !== undefined && Object.hasOwn(SELECTIONS, mode);

/**
 * Format and lint, types, the tests of the mode, in this order; stops at the first that fails and answers its exit code.
 * @param {'test' | 'test:fast' | 'test:long' | 'test:attack'} mode
 * @param {readonly string[]} args handed to vitest
 * @param {{ cwd: string, env: NodeJS.ProcessEnv }} options
 */
export async function check(mode, args, options) {
  for (const [command, ...rest] of [['biome', 'ci', '.'], ['tsc']]) {
    const code = (await run(command, rest, { ...options, patience: PATIENCE_MS })) || wasTold();
    if (code !== 0) return code;
  }
  const folder = makeFolder();
  if (folder === undefined) return 1;
  const report = join(folder, 'report.json');
  try {
    // All that tests leave in their temporary folders goes with this one, also when the run is cut short.
    const env = { ...options.env, TMPDIR: folder };
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const code = await run('vitest', ['run', ...SELECTIONS[mode], ...reporters, ...args], {
      ...options,
      env,
      patience: PATIENCE_MS,
    });
    if (existsSync(report)) console.log(closingLine(JSON.parse(readFileSync(report, 'utf8'))));
    return code;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function makeFolder() {
  try {
    const folder = mkdtempSync(join(tmpdir(), 'keypad-test-'));
    // Programs that run as another user than root have to get through it.
    chmodSync(folder, 0o711);
    return folder;
  } catch ({ code }) {
    console.error(
      `Tests need a folder for temporary files, and ${tmpdir()} takes none (${code}): name another, for example TMPDIR=/var/tmp npm test`,
    );
    return undefined;
  }
}

/**
 * What a CI reads at the end of a run.
 * @param {{ numPassedTests: number, numFailedTests: number, numPendingTests: number }} report
 */
export function closingLine({ numPassedTests, numFailedTests, numPendingTests }) {
  return `${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped`;
}
