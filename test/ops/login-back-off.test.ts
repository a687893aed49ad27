import { rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { createBackOff } from '../../src/ops/kubeconfig/back-off.ts';
import { openKubeconfigs } from './kubeconfig-harness.ts';
import { movableClock } from './ops-harness.ts';

const files = await openKubeconfigs();
afterAll(() => files.stop());
beforeEach(() => {
  files.accepted.clear();
  files.shown.splice(0);
});

const NO_LOGIN = '集群 demo 的登录凭据拿不到，请联系运维负责人';
const REFUSED = '集群 demo 不允许 Keypad 这样做（401）';
/** Fails while `<name>.broken` is there; else answers a token of its own at each run. */
const script = `[ ! -e "$0.broken" ] || { echo "login is away" >&2; exit 1; }
n=$(wc -l < "$0.runs")
echo "{\\"kind\\":\\"ExecCredential\\",\\"apiVersion\\":\\"client.authentication.k8s.io/v1\\",\\"status\\":{\\"token\\":\\"t$n\\"}}"`;
async function withPlugin(name: string) {
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    interactiveMode: 'Never',
    command: files.program(name, script),
  };
  const file = files.write(`${name}.yaml`, files.text({ demo: { exec } }));
  const runs = () => files.runs(name).length;
  return { ...(await files.open(file)), runs, file, broken: `${exec.command}.broken` };
}

test('waits from one second to a minute, twice as long each time, and from the start after a success', () => {
  const clock = movableClock();
  const backOff = createBackOff(clock.now);
  const fail = (): number => {
    clock.pass(backOff.leftMs());
    backOff.failed(new Error('away'));
    return backOff.leftMs() / 1000;
  };
  expect(Array.from({ length: 9 }, fail)).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  // Of two that failed at once, one counts.
  backOff.succeeded();
  fail();
  backOff.failed(new Error('away'));
  expect([backOff.leftMs(), fail()]).toEqual([1000, 2]);
  backOff.succeeded();
  expect([backOff.leftMs(), fail()]).toEqual([0, 1]);
  clock.pass(-3_600_000);
  expect(backOff.leftMs()).toBe(0);
});

describe('a plug-in that fails', () => {
  test('is asked ever more seldom; meanwhile its cluster is refused at once, and the log says why', async () => {
    const { lists, causes, clock, runs, broken } = await withPlugin('failing');
    writeFileSync(broken, '');
    const asked = [];
    for (const seconds of [0, 0, 1, 1, 1, 2, 2]) {
      clock.pass(seconds * 1000);
      expect(await lists()).toBe(NO_LOGIN);
      asked.push(runs());
    }
    expect(asked).toEqual([1, 1, 2, 2, 3, 3, 4]);
    expect(causes()[1]).toMatch(/failing: ended with 1: login is away; not tried again for 1 s$/);
    expect(files.shown).toEqual([]);

    rmSync(broken);
    files.accepted.add('t5').add('t6');
    expect(await lists()).toBe(NO_LOGIN);
    clock.pass(8000);
    expect(await lists()).toBe('listed');
    // What was accepted and is so no more is replaced at once, as ever.
    files.accepted.delete('t5');
    expect(await lists()).toBe('listed');
    expect(runs()).toBe(6);
  });

  test('is asked at once when the kubeconfig says something else', async () => {
    const { lists, runs, file, broken } = await withPlugin('mended');
    writeFileSync(broken, '');
    expect(await lists()).toBe(NO_LOGIN);
    files.accepted.add('other');
    writeFileSync(file, files.text({ demo: { token: 'other' } }));
    expect([await lists(), runs()]).toEqual(['listed', 1]);
  });
});

describe('a login that the cluster refuses', () => {
  test("is asked for, and shown, ever more seldom when it is a plug-in's", async () => {
    const { lists, causes, clock, runs } = await withPlugin('refused');
    const asked = [];
    for (const seconds of [0, 0, 1, 1, 1]) {
      clock.pass(seconds * 1000);
      expect(await lists()).toBe(REFUSED);
      asked.push([runs(), files.shown.length]);
    }
    // A first refusal is answered by asking anew; then one question is one request.
    expect(asked).toEqual([2, 2, 3, 3, 4].map((times) => [times, times]));
    expect(causes()[1]).toContain('the cluster refuses the login (401); not tried again for 1 s');
    files.accepted.add('t5');
    clock.pass(4000);
    expect([await lists(), await lists()]).toEqual(['listed', 'listed']);
    expect(runs()).toBe(5);
  });

  test('is shown ever more seldom when it stands in a file, and the next one at once', async () => {
    const tokenFile = files.write('token', 'old');
    const { lists, clock } = await files.open(files.write('token.yaml', files.text({ demo: { tokenFile } })));
    for (const seconds of [0, 0, 1, 1]) {
      clock.pass(seconds * 1000);
      expect(await lists()).toBe(REFUSED);
    }
    expect(files.shown).toEqual(['old', 'old']);
    files.accepted.add('new');
    writeFileSync(tokenFile, 'new');
    expect(await lists()).toBe('listed');
    expect(files.shown).toEqual(['old', 'old', 'new']);
  });
});
