/**
 * `npm run demo` and `npm test`, from a bare machine on: npm packages, Redis and MariaDB, then the real program on Node 24.
 * Plain JavaScript without packages, since it runs on Node 20 before anything is installed.
 */
import { delimiter, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { check } from './check.mjs';
import { ensurePackages, toolFolders } from './packages.mjs';
import { ensurePrograms, withSbin } from './programs.mjs';
import { run } from './run.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [mode, ...args] = process.argv.slice(2);
const say = (line) => console.error(`keypad: ${line}`);

process.exitCode = await main();

async function main() {
  const path = withSbin(process.env.PATH ?? '');
  const problem =
    mode === 'demo' || mode === 'test'
      ? prepare(path)
      : 'say demo or test: node scripts/bootstrap.mjs <mode>';
  if (problem !== undefined) {
    console.error(problem);
    return 1;
  }
  const options = { cwd: root, env: { ...process.env, PATH: [...toolFolders(root), path].join(delimiter) } };
  return mode === 'demo' ? run('node', ['demo/main.ts', ...args], options) : check(args, options);
}

function prepare(path) {
  if (Number(process.versions.node.split('.')[0]) < 20) {
    return `Keypad needs Node 20 or newer to install itself; this is ${process.version}`;
  }
  if (process.platform === 'win32') return 'Keypad runs on Linux and macOS; on Windows use WSL 2';
  return ensurePrograms({ path, forTests: mode === 'test', say }) ?? ensurePackages({ root, say });
}
