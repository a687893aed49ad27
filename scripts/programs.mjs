import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { planPrograms, required, sentenceFor } from './plan.mjs';

/** Debian keeps servers in sbin, which is not on every person's PATH. */
const SBIN = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** What the test of the phone page needs besides; without it that test says that it is skipped. */
const BROWSER = [
  { file: '/usr/bin/chromium', name: 'chromium' },
  { file: '/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc', name: 'fonts-noto-cjk' },
];

/**
 * The PATH with sbin at its end.
 * @param {string} path
 */
export function withSbin(path) {
  const folders = path.split(delimiter).filter(Boolean);
  return [...folders, ...SBIN.filter((folder) => !folders.includes(folder))].join(delimiter);
}

/**
 * Sees to it that the servers are there, and for tests the browser. Answers a sentence when a person has to install them.
 * @param {{ path: string, forTests: boolean, say: (line: string) => void }} options
 * @returns {string | undefined}
 */
export function ensurePrograms({ path, forTests, say }) {
  const missing = () => required.filter((program) => !isOnPath(program, path));
  const osRelease = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const root = missing().length > 0 || forTests ? rootCommand(path) : undefined;
  const canInstall = root !== undefined && isOnPath('apt-get', path);
  const plan = planPrograms({ platform: process.platform, osRelease, missing: missing(), canInstall });
  if (plan.kind === 'tell') return plan.sentence;
  if (plan.kind === 'install') {
    const failure = install(root ?? [], plan.packages, say);
    if (failure !== undefined || missing().length > 0) {
      return `${sentenceFor('apt', plan.packages)} (apt-get did not manage: ${failure ?? 'no error'})`;
    }
  }
  const browser = BROWSER.filter(({ file }) => !existsSync(file)).map(({ name }) => name);
  if (forTests && canInstall && browser.length > 0) {
    const failure = install(root ?? [], browser, say);
    if (failure !== undefined) say(`going on without ${browser.join(' and ')}: ${failure}`);
  }
  return undefined;
}

/**
 * How to become root without being asked: not at all, by sudo, or undefined when there is no way.
 * @param {string} path
 * @returns {string[] | undefined}
 */
function rootCommand(path) {
  if (process.getuid?.() === 0) return [];
  if (!isOnPath('sudo', path)) return undefined;
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : undefined;
}

/**
 * The packages bring services that would start with the system's own settings; ours are started privately. While apt-get
 * runs, policy-rc.d says no to every start, and it goes away whatever happens. One that stands there already is left alone,
 * unless it is ours from a run that was killed.
 */
const INSTALL = `
set -u
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ] || grep -q 'keypad bootstrap' "$policy"; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 130' INT TERM HUP
  printf '#!/bin/sh\\n# temporary, by the keypad bootstrap\\nexit 101\\n' > "$policy" && chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
apt-get update -q && apt-get install -q -y --no-install-recommends "$@"
`;

/**
 * Answers what went wrong: the last line of apt-get.
 * @param {readonly string[]} root
 * @param {readonly string[]} packages
 * @param {(line: string) => void} say
 * @returns {string | undefined}
 */
function install(root, packages, say) {
  say(`installing ${packages.join(', ')} with apt-get`);
  const [command, ...args] = [...root, 'sh', '-c', INSTALL, 'sh', ...packages];
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status === 0) return undefined;
  return `${stdout}${stderr}`.trim().split('\n').at(-1) || 'it was interrupted';
}

/**
 * @param {string} program
 * @param {string} path
 */
export function isOnPath(program, path) {
  return path.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
