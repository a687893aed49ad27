/**
 * `npm run demo`, `npm test` and its kinds, from a bare machine on: npm packages, Redis and MariaDB where they are needed,
 * then the real program on Node 24.
 * Plain JavaScript without packages, since it runs on Node 20 before anything is installed.
 */
import { delimiter, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { check, isTestMode } from './check.mjs';
import { ensurePackages, toolFolders } from './packages.mjs';
import { ensurePrograms, isOnPath, withSbin } from './programs.mjs';
import { ensurePromtool } from './promtool.mjs';
import { run } from './run.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [mode, ...args] = process.argv.slice(2);
const say = (line) => console.error(`keypad: ${line}`);

process.exitCode = await main();

async function main() {
  const path = withSbin(process.env.PATH ?? '');
  const problem =
    mode === 'demo' || isTestMode(mode)
      ? prepare(path)
      : 'say demo, test, test:fast, test:long or test:attack: node scripts/bootstrap.mjs <mode>';
  if (problem !== undefined) {
    console.error(problem);
    return 1;
  }
  const options = { cwd: root, env: { ...process.env, PATH: [...toolFolders(root), path].join(delimiter) } };
  return mode === 'demo' ? run('node', ['demo/main.ts', ...args], options) : check(mode, args, options);
}

function prepare(path) {
  if (Number(process.versions.node.split('.')[0]) < 20) {
    return `Keypad needs Node 20 or newer to install itself; this is ${process.version}`;
  }
  if (process.platform === 'win32') return 'Keypad runs on Linux and macOS; on Windows use WSL 2';
  if (mode === 'test:fast') return ensurePackages({ root, say });
  const problem = ensurePrograms({ path, forTests: isTestMode(mode), say }) ?? ensurePackages({ root, say });
  // Behind npm, which begins by emptying node_modules.
  if (problem === undefined && isTestMode(mode)) ensurePromtool({ root, path, isOnPath, say });
  return problem;
}
