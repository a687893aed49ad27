import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { root } from './sources.ts';

interface Machine {
  readonly platform: string;
  readonly osRelease: string;
  readonly missing: readonly string[];
  readonly canInstall: boolean;
}
type Plan = { kind: 'ready' } | { kind: 'install'; packages: string[] } | { kind: 'tell'; sentence: string };

// The bootstrap is plain JavaScript that the compiler does not look at; this is what the tests need of it.
const load = (name: string): Promise<unknown> => import(join(root, 'scripts', name));
const { planPrograms } = (await load('plan.mjs')) as { planPrograms(machine: Machine): Plan };
const { isInstalled } = (await load('packages.mjs')) as {
  isInstalled(lock: unknown, installed: unknown): boolean;
};
const { closingLine } = (await load('check.mjs')) as { closingLine(report: object): string };
const { withSbin } = (await load('programs.mjs')) as { withSbin(path: string): string };

const empty = mkdtempSync(join(tmpdir(), 'keypad-path-'));
afterAll(() => rmSync(empty, { recursive: true, force: true }));

const debian = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n';
const ubuntu = 'ID=ubuntu\nID_LIKE=debian\n';
const mint = 'ID=linuxmint\nID_LIKE="ubuntu debian"\n';
const rocky = 'ID="rocky"\nID_LIKE="rhel centos fedora"\n';
const all = ['redis-server', 'mariadbd', 'mariadb-install-db'];
const apt = 'sudo apt-get install -y --no-install-recommends';

describe('missing servers', () => {
  test('nothing missing, nothing done', () => {
    const plan = planPrograms({ platform: 'linux', osRelease: debian, missing: [], canInstall: true });
    expect(plan).toEqual({ kind: 'ready' });
  });

  test.each([debian, ubuntu, mint])('are installed by apt-get where it may: %j', (osRelease) => {
    const plan = planPrograms({ platform: 'linux', osRelease, missing: all, canInstall: true });
    expect(plan).toEqual({ kind: 'install', packages: ['redis-server', 'mariadb-server'] });
  });

  test.each([
    [
      'linux',
      debian,
      all,
      `redis-server and mariadb-server; install with: ${apt} redis-server mariadb-server`,
    ],
    ['linux', ubuntu, ['mariadbd'], `mariadb-server; install with: ${apt} mariadb-server`],
    ['linux', rocky, all, 'redis and mariadb-server; install with: sudo dnf install -y redis mariadb-server'],
    ['darwin', '', all, 'redis and mariadb; install with: brew install redis mariadb'],
    [
      'linux',
      'ID=void\n',
      ['mariadbd'],
      'redis-server, mariadbd and mariadb-install-db on the PATH; not found: mariadbd.',
    ],
  ])('otherwise one sentence says what to install: %s %j', (platform, osRelease, missing, sentence) => {
    const plan = planPrograms({ platform, osRelease, missing, canInstall: false });
    expect(plan).toEqual({ kind: 'tell', sentence: `Keypad needs ${sentence}` });
  });

  test('a machine without them and without apt-get: the sentence alone, exit 1, no stack trace', () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/bootstrap.mjs', 'demo'], {
      cwd: root,
      env: { PATH: empty },
      encoding: 'utf8',
    });
    expect(stderr).toMatch(/^Keypad needs .*redis.*\n$/);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  });

  test('a mode it does not know is one sentence too', () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/bootstrap.mjs', 'x'], { cwd: root });
    expect({ status, stderr: String(stderr) }).toEqual({
      status: 1,
      stderr: 'say demo, test, test:fast, test:long or test:attack: node scripts/bootstrap.mjs <mode>\n',
    });
  });

  test('servers are found in sbin, where Debian keeps them, though it is not on the PATH', () => {
    expect(withSbin('/usr/bin:/sbin')).toBe('/usr/bin:/sbin:/usr/local/sbin:/usr/sbin');
  });
});

describe('npm packages', () => {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const installed = JSON.parse(readFileSync(join(root, 'node_modules/.package-lock.json'), 'utf8'));

  test('are there when npm has installed what the lock file asks for', () => {
    expect(isInstalled(lock, installed)).toBe(true);
  });

  test('are missing without a record, with another version, and without one that is not optional', () => {
    const { 'node_modules/zod': zod, ...others } = installed.packages;
    expect(isInstalled(lock, undefined)).toBe(false);
    expect(isInstalled(lock, { packages: { ...others, 'node_modules/zod': { ...zod, version: '0' } } })).toBe(
      false,
    );
    expect(isInstalled(lock, { packages: others })).toBe(false);
  });

  test('of other systems may be absent', () => {
    const other = { packages: { '': {}, 'node_modules/x-darwin': { version: '1.0.0', optional: true } } };
    expect(isInstalled(other, { packages: {} })).toBe(true);
  });
});

describe('the program that is run', () => {
  const runScript = (code: string) => {
    const run = JSON.stringify(join(root, 'scripts/run.mjs'));
    const options = '{ cwd: ".", env: process.env }';
    return `process.exitCode = await (await import(${run})).run(process.execPath, ['-e', ${JSON.stringify(code)}], ${options})`;
  };
  const runs = (code: string) =>
    spawn(process.execPath, ['--input-type=module', '-e', runScript(code)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });

  test('gives its exit code on', async () => {
    expect(await once(runs('process.exit(7)'), 'exit')).toEqual([7, null]);
    expect(await once(runs('process.kill(process.pid, "SIGKILL")'), 'exit')).toEqual([137, null]);
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('is handed %s, and waited for', async (signal) => {
    const parent = runs(
      `process.on('${signal}', () => process.exit(8)); setInterval(() => {}, 1000); console.log('up')`,
    );
    await once(parent.stdout, 'data');
    parent.kill(signal);
    expect(await once(parent, 'exit')).toEqual([8, null]);
  });

  test('is stopped when the shell that npm put between us is gone', async () => {
    const code = [
      `process.on('SIGTERM', () => { console.log('told'); process.exit(0); })`,
      `setInterval(() => {}, 1000)`,
      `console.log('up')`,
    ].join(';');
    const shell = spawn(
      'sh',
      ['-c', `"$0" --input-type=module -e "$1"; true`, process.execPath, runScript(code)],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, npm_lifecycle_event: 'demo' },
      },
    );
    const [up] = await once(shell.stdout, 'data');
    shell.kill('SIGTERM');
    const [told] = await once(shell.stdout, 'data');
    expect(`${up}${told}`).toBe('up\ntold\n');
  });
});

test('a test run closes with a line that a CI can read', () => {
  const report = { numPassedTests: 7, numFailedTests: 1, numPendingTests: 2, numTotalTests: 10 };
  expect(closingLine(report)).toBe('7 passed, 1 failed, 2 skipped');
});
