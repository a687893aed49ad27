import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join, sep } from 'node:path';

/** Where the dev dependency `node` and the tools of the project have their programs. */
export function toolFolders(root) {
  return [join(root, 'node_modules', 'node', 'bin'), join(root, 'node_modules', '.bin')];
}

/**
 * Whether what npm says it has installed is what the lock file asks for. Optional packages of other systems may be absent.
 * @param {{ packages: Record<string, { version?: string, optional?: boolean, devOptional?: boolean }> }} lock
 * @param {{ packages: Record<string, { version?: string }> } | undefined} installed npm's own record, node_modules/.package-lock.json
 */
export function isInstalled(lock, installed) {
  if (installed === undefined) return false;
  return Object.entries(lock.packages).every(([path, { version, optional, devOptional }]) => {
    if (path === '') return true;
    const found = installed.packages[path];
    return found === undefined ? optional === true || devOptional === true : found.version === version;
  });
}

/**
 * Sees to it that the npm packages and Node 24 are there; quiet unless something fails. Answers a sentence when it does.
 * @param {{ root: string, say: (line: string) => void }} options
 * @returns {string | undefined}
 */
export function ensurePackages({ root, say }) {
  const lock = readJson(join(root, 'package-lock.json'));
  if (!isInstalled(lock, readJson(join(root, 'node_modules', '.package-lock.json')))) {
    say('installing npm packages');
    const failure = run(root, 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
    if (failure !== undefined) return `npm ci failed; the last it said:\n${failure}`;
  }
  const wanted = lock.packages['node_modules/node'].version;
  if (nodeVersion(root) === wanted) return undefined;
  // npm runs install scripts only of packages that it was allowed to; this one only links the binary it downloads.
  say(`installing node ${wanted} for this project`);
  const failure = run(join(root, 'node_modules', 'node'), process.execPath, [
    'installArchSpecificPackage.js',
  ]);
  if (nodeVersion(root) === wanted) return undefined;
  return `node ${wanted} could not be installed into node_modules; try: npm rebuild node\n${failure ?? ''}`;
}

function nodeVersion(root) {
  const node = join(root, 'node_modules', 'node', 'bin', 'node');
  if (!existsSync(node)) return undefined;
  return spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.trim().slice(1);
}

/** Runs npm with the system's own Node: the one in node_modules is about to be replaced. */
function run(cwd, command, args) {
  const path = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((f) => !f.includes(`${sep}node_modules${sep}`));
  const env = { ...process.env, PATH: path.join(delimiter) };
  const options = { cwd, env, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 };
  const { status, stdout, stderr, error } = spawnSync(command, args, options);
  if (status === 0) return undefined;
  return error?.message ?? `${stdout}${stderr}`.trim().split('\n').slice(-15).join('\n');
}

function readJson(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}
