/** The programs that Keypad starts for itself, and the packages that hold them, by package manager. */
const PACKAGES = {
  'redis-server': { apt: 'redis-server', dnf: 'redis', brew: 'redis' },
  mariadbd: { apt: 'mariadb-server', dnf: 'mariadb-server', brew: 'mariadb' },
  'mariadb-install-db': { apt: 'mariadb-server', dnf: 'mariadb-server', brew: 'mariadb' },
};

const COMMANDS = {
  apt: 'sudo apt-get install -y --no-install-recommends',
  dnf: 'sudo dnf install -y',
  brew: 'brew install',
};

/** The programs without which nothing starts. */
export const required = Object.keys(PACKAGES);

/**
 * What to do about missing programs: nothing, install packages, or tell the person one sentence.
 * @param {{ platform: string, osRelease: string, missing: readonly string[], canInstall: boolean }} machine
 *   `osRelease` is the text of /etc/os-release; `canInstall` says whether apt-get may be run without asking.
 * @returns {{ kind: 'ready' } | { kind: 'install', packages: string[] } | { kind: 'tell', sentence: string }}
 */
export function planPrograms({ platform, osRelease, missing, canInstall }) {
  if (missing.length === 0) return { kind: 'ready' };
  const manager = managerOf(platform, osRelease);
  if (manager === undefined) {
    const needed = 'redis-server, mariadbd and mariadb-install-db';
    return {
      kind: 'tell',
      sentence: `Keypad needs ${needed} on the PATH; not found: ${missing.join(', ')}.`,
    };
  }
  const packages = [...new Set(missing.map((program) => PACKAGES[program][manager]))];
  if (manager === 'apt' && canInstall) return { kind: 'install', packages };
  return { kind: 'tell', sentence: sentenceFor(manager, packages) };
}

/**
 * The sentence for a person who has to install packages.
 * @param {'apt' | 'dnf' | 'brew'} manager
 * @param {readonly string[]} packages
 */
export function sentenceFor(manager, packages) {
  return `Keypad needs ${packages.join(' and ')}; install with: ${COMMANDS[manager]} ${packages.join(' ')}`;
}

/**
 * The package manager of a machine, when it is one we know.
 * @param {string} platform
 * @param {string} osRelease
 * @returns {'apt' | 'dnf' | 'brew' | undefined}
 */
function managerOf(platform, osRelease) {
  if (platform === 'darwin') return 'brew';
  const families = [...osRelease.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)"?$/gm)].flatMap(([, ids]) =>
    ids.split(' '),
  );
  if (families.includes('debian') || families.includes('ubuntu')) return 'apt';
  if (families.includes('fedora') || families.includes('rhel')) return 'dnf';
  return undefined;
}
