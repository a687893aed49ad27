import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Sees to it that there is a promtool, which proves deploy/alerts.yaml. It comes out of Debian's package without installing
 * that, which would bring a Prometheus that starts with the machine. Without it the test says that it is skipped.
 * @param {{ root: string, path: string, isOnPath: (program: string, path: string) => boolean, say: (line: string) => void }} options
 */
export function ensurePromtool({ root, path, isOnPath, say }) {
  const folder = join(root, 'node_modules', '.cache', 'keypad');
  const program = join(folder, 'promtool');
  if (existsSync(program) || isOnPath('promtool', path) || !isOnPath('apt-get', path)) return;
  say('taking promtool out of the package prometheus');
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, 'deb-'));
  try {
    const failure =
      run(work, path, 'apt-get', ['download', '-q', 'prometheus']) ??
      run(work, path, 'dpkg-deb', [
        '-x',
        readdirSync(work).find((name) => name.endsWith('.deb')) ?? '',
        'all',
      ]);
    if (failure === undefined) renameSync(join(work, 'all', 'usr', 'bin', 'promtool'), program);
    else say(`going on without promtool: ${failure}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Answers what went wrong: the last line of the program. */
function run(cwd, path, command, args) {
  const env = { ...process.env, PATH: path, LC_ALL: 'C' };
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, env, encoding: 'utf8' });
  if (status === 0) return undefined;
  return error?.message ?? (`${stdout}${stderr}`.trim().split('\n').at(-1) || 'it was interrupted');
}
