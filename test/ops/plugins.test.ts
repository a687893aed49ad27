import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { openKubeconfigs } from './kubeconfig-harness.ts';
import { until } from './ops-harness.ts';

const files = await openKubeconfigs();
afterAll(() => files.stop());
beforeEach(() => {
  files.accepted.clear();
  files.shown.splice(0);
});

const v1 = 'client.authentication.k8s.io/v1';
const exec = (command: string, more: object = {}) => ({
  exec: { apiVersion: v1, command, interactiveMode: 'Never', ...more },
});
/** The words of a shell that answer a token, which may have parts that the shell fills in. */
const says = (token: string, more: object = {}) => {
  const status = JSON.stringify({ token: 'TOKEN', ...more }).replace('TOKEN', token);
  return `echo "${`{"kind":"ExecCredential","apiVersion":"${v1}","status":${status}}`.replaceAll('"', '\\"')}"`;
};
const opened = (name: string, script: string, more?: object, parts?: object) => {
  const command = files.program(name, script);
  return files.open(files.write(`${name}.yaml`, files.text({ demo: exec(command, more) })), parts);
};
const short = { plugins: { limitMs: 300, most: 1 } };
const isRunning = (pid: number): boolean => {
  try {
    // What has ended and was not yet looked at by its parent runs no more.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

describe('a plug-in', () => {
  test('is asked once, whoever asks meanwhile, and again when its token has expired', async () => {
    files.accepted.add('t');
    const expirationTimestamp = new Date(Date.now() + 60_000).toISOString();
    const { lists, clock } = await opened('expiring', says('t', { expirationTimestamp }));
    expect(await Promise.all([lists(), lists()])).toEqual(['listed', 'listed']);
    expect(await lists()).toBe('listed');
    expect(files.runs('expiring')).toHaveLength(1);
    clock.pass(61_000);
    await lists();
    expect(files.runs('expiring')).toHaveLength(2);
  });

  test('is asked anew once when the cluster has dropped its token', async () => {
    const { lists } = await opened('dropped', `n=$(wc -l < "$0.runs")\n${says('t$n')}`);
    files.accepted.add('t1');
    expect(await lists()).toBe('listed');
    files.accepted.clear();
    files.accepted.add('t2');
    expect(await lists()).toBe('listed');
    files.accepted.clear();
    expect(await lists()).toBe('集群 demo 不允许 Keypad 这样做（401）');
    expect(files.shown).toEqual(['t1', 't1', 't2', 't2', 't3']);
  });

  test('has the environment that it is given, its own, and KUBERNETES_EXEC_INFO; nothing of this process', async () => {
    process.env.OF_THE_PLATFORM = 'secret';
    const { lists } = await opened(
      'environment',
      `env > "$0.env"\n${says('t')}`,
      { env: [{ name: 'OWN', value: '007' }], provideClusterInfo: true },
      { environment: { PATH: process.env.PATH, GIVEN: 'given' } },
    );
    await lists();
    delete process.env.OF_THE_PLATFORM;
    const env = readFileSync(files.at('environment.env'), 'utf8');
    expect(env).toMatch(/^GIVEN=given$/m);
    expect(env).toMatch(/^OWN=007$/m);
    expect(env).not.toContain('OF_THE_PLATFORM');
    expect(JSON.parse(/^KUBERNETES_EXEC_INFO=(.*)$/m.exec(env)?.[1] ?? '')).toMatchObject({
      kind: 'ExecCredential',
      apiVersion: v1,
      spec: { interactive: false, cluster: { server: expect.stringMatching(/^https:/) } },
    });
  });

  test('of v1beta1 is asked, and need not say whether it is interactive', async () => {
    files.accepted.add('t');
    const beta = 'client.authentication.k8s.io/v1beta1';
    const command = files.program(
      'beta',
      `printf %s "$KUBERNETES_EXEC_INFO" >&2\n${says('t').replace(v1, beta)}`,
    );
    const entry = { exec: { apiVersion: beta, command } };
    const { lists } = await files.open(files.write('beta.yaml', files.text({ demo: entry })));
    expect(await lists()).toBe('listed');
  });

  test('that is named by a relative path is looked for from the folder of its kubeconfig', async () => {
    files.accepted.add('t');
    files.program('folder/bin/login', says('t'));
    const { lists } = await files.open(
      files.write('folder/kubeconfig', files.text({ demo: exec('./bin/login') })),
    );
    expect(await lists()).toBe('listed');
  });

  test('that hangs is ended after its time, with all that it has started', async () => {
    const hangs = 'sleep 1000 &\necho "$!" >> "$0.runs"\nsleep 1000';
    const { lists, causes } = await opened('hangs', hangs, {}, short);
    expect(await lists()).toBe('集群 demo 的登录凭据拿不到，请联系运维负责人');
    expect(causes()[0]).toContain('gave no answer within 300 ms');
    const [program = 0, child = 0] = files.runs('hangs');
    expect(child).toBeGreaterThan(0);
    await until(async () => !isRunning(program) && !isRunning(child));
  });

  // It has left the group before its parent ends, or it would end with the group.
  const leaves = (how: string) =>
    `${how} setsid sh -c 'echo $$ > "$0.left"; exec sleep 1000' "$0" &\nuntil [ -s "$0.left" ]; do :; done`;
  /** The process that left; 0 until it has. */
  const left = (name: string): number =>
    existsSync(files.at(`${name}.left`)) ? Number(readFileSync(files.at(`${name}.left`), 'utf8')) : 0;

  test('is answered, and what it leaves behind outside of its group is ended', async () => {
    files.accepted.add('t');
    const { lists } = await opened('daemon', `${leaves('')}\n${says('t')}`);
    expect(await lists()).toBe('listed');
    await until(async () => !isRunning(left('daemon')));
  });

  test('that hangs is ended with what has left its group', async () => {
    const { lists } = await opened('leaver', `${leaves('')}\nsleep 1000`, {}, short);
    expect(await lists()).toBe('集群 demo 的登录凭据拿不到，请联系运维负责人');
    await until(async () => !isRunning(left('leaver')));
  });

  test('that hangs, and has ended what would end it, is ended all the same', async () => {
    const alone = 'read -r guard _ </proc/$$/task/$$/children\nkill -KILL "$guard"\nsleep 1000';
    const { lists } = await opened('alone-now', alone, {}, short);
    expect(await lists()).toBe('集群 demo 的登录凭据拿不到，请联系运维负责人');
    const [program = 0] = files.runs('alone-now');
    await until(async () => !isRunning(program));
  });

  test('that leaves something behind with its output that cannot be found is given up after its time, too', async () => {
    const { lists, causes } = await opened('hidden', `${leaves('env -i')}\n${says('t')}`, {}, short);
    expect(await lists()).toBe('集群 demo 的登录凭据拿不到，请联系运维负责人');
    expect(causes()[0]).toContain('gave no answer within 300 ms');
    process.kill(left('hidden'));
  });

  test('runs only beside so many others', async () => {
    files.accepted.add('t');
    const command = files.program(
      'alone',
      `mkdir "$0.lock" || touch "$0.beside"\nsleep 0.1\n${says('t')}\nrmdir "$0.lock"`,
    );
    const kubeconfig = files.write('alone.yaml', files.text({ a: exec(command), b: exec(command) }));
    const { lists } = await files.open(kubeconfig, { plugins: { limitMs: 10_000, most: 1 } });
    expect(await Promise.all([lists('a'), lists('b')])).toEqual(['listed', 'listed']);
    expect(files.runs('alone')).toHaveLength(2);
    expect(() => readFileSync(files.at('alone.beside'))).toThrow('ENOENT');
  });

  test('ends with the platform, also when that is killed', async () => {
    const command = files.program('orphan', `${leaves('')}\nsleep 1000`);
    const kubeconfig = files.write('orphan.yaml', files.text({ demo: exec(command) }));
    const script = `
      import { openConnections } from '${join(import.meta.dirname, '../../src/ops/kubeconfig/connections.ts')}';
      const events = { accepted() {}, refused() {}, onError() {} };
      const parts = { kubeconfig: '${kubeconfig}', environment: process.env, clock: Date, inUse: () => [], events };
      const { send } = await openConnections(parts);
      await send('demo', { method: 'GET', path: '/', headers: {} }).catch(() => {});
      setInterval(() => {}, 1000);`;
    const platform: ChildProcess = spawn(process.execPath, ['--input-type=module', '--eval', script]);
    onTestFinished(() => void platform.kill('SIGKILL'));
    const pid = await until(async () => files.runs('orphan')[0]);
    await until(async () => isRunning(left('orphan')));
    platform.kill('SIGKILL');
    await once(platform, 'exit');
    await until(async () => !isRunning(pid) && !isRunning(left('orphan')));
  });

  const secret = 'eyJhbGciOiJSUzI1NiJ9abcdef';
  test.each([
    ['no JSON', `echo 'token ${secret}'`, 'its answer is no JSON'],
    ['another kind', `echo '{"kind":"Secret","status":{"token":"${secret}"}}'`, 'kind: '],
    ['no token', says('t').replace('token', 'other'), 'neither a token nor a client certificate'],
    ['a token that cannot be sent', says('a b'), 'has characters that no token has'],
    [
      'a certificate without its key',
      says('t', { clientCertificateData: 'x' }),
      'one is there without the other',
    ],
    ['too much', `head -c 2000000 /dev/zero`, 'wrote more than 1048576 bytes'],
    [
      'an end with a complaint',
      `echo "cannot reach the login: ${secret}" >&2; exit 3`,
      'ended with 3: cannot reach the login: ***',
    ],
    [
      'an end with what it was given',
      `printf 'denied for\\n1 password=short' >&2; exit 1`,
      'ended with 1: denied for↵1 password=***',
    ],
  ])(
    'that answers %s costs its cluster alone, and the log says why, without secrets',
    async (what, script, why) => {
      const { lists, causes } = await opened(what.replaceAll(' ', '-'), script);
      expect(await lists()).toBe('集群 demo 的登录凭据拿不到，请联系运维负责人');
      expect(causes()[0]).toContain(why);
      expect(causes()[0]).not.toContain(secret);
    },
  );

  test('that is not there is said with the hint of its kubeconfig', async () => {
    const entry = exec('no-such-login', { installHint: 'install it' });
    const { lists, causes } = await files.open(files.write('absent.yaml', files.text({ demo: entry })));
    await lists();
    expect(causes()[0]).toContain(
      'there is no program no-such-login that may be run; its kubeconfig says: install it',
    );
  });
});
