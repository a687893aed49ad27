import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDeclared } from '../../../src/ops/declared/index.ts';
import { openJob } from '../../../src/ops/declared/job-run.ts';
import { openConnections } from '../../../src/ops/kubeconfig/connections.ts';
import { openTargets } from '../../../src/ops/targets/targets.ts';
import { type OpsHarness, openOpsHarness, type Replica, until } from '../ops-harness.ts';

const readDeclared = createDeclared({ environment: undefined });
const declaration = (more = '', image = 'keypad-demo/report:1') => `
kind: job
title: 报表
risk: low
input:
  forWhom: { title: 给谁, type: string }
job:
  seconds: 60
  lines: 3
  pod:
    containers:
      - name: report
        image: ${image}
        args: ["报表 $(INPUT_FOR_WHOM)"]
        ${more}
`;

let harness: OpsHarness;
let ops: Replica;
beforeAll(async () => {
  harness = await openOpsHarness({
    policy: `
units: { 电商: { environment: test, kubernetes: { context: demo, namespaces: [shop] } } }
roles: { all: { members: { users: [zhangsan] }, grants: [{ operations: ['*'], units: '*', new: allowed }] } }
`,
  });
  const folder = join(harness.directory, 'operations');
  mkdirSync(folder);
  for (const [name, text] of Object.entries({
    quick: declaration(),
    fails: declaration('env: [{ name: FAIL, value: "1" }]'),
    slow: declaration('env: [{ name: SECONDS, value: "30" }]'),
    huge: declaration('env: [{ name: LINES, value: "200000" }]'),
    stuck: declaration('', 'registry.example/none:1'),
  })) {
    writeFileSync(join(folder, `${name}.yaml`), text);
  }
  ops = await harness.startReplica({ operationsDir: folder });
});
afterAll(() => harness.stop());

const unit = '电商';
const change = async (name: string, forWhom = '张三') => {
  const input = { unit, forWhom } as never;
  const shown = await ops.as('zhangsan').preview(name as never, input);
  return { shown, answer: await ops.as('zhangsan').run(name as never, input, shown, shown.code) };
};
const jobOf = (id: string) => harness.cluster.get('jobs', 'shop', `keypad-${id}`);

/** Previews a Job and leaves it as a replica leaves it that dies right after having confirmed it. */
async function abandoned(name: string, forWhom = '张三') {
  const { id } = await ops.as('zhangsan').preview(name as never, { unit, forWhom } as never);
  await harness.abandon(id, 'started', -20_000);
  return id;
}

/** The Job of an operation, as a replica has it. */
async function directly(id: string) {
  const nothing = () => {};
  const connections = await openConnections({
    kubeconfig: `${harness.directory}/kubeconfig`,
    environment: {},
    clock: harness.clock,
    inUse: () => [],
    events: { accepted: nothing, refused: nothing, onError: nothing },
  });
  const targets = openTargets({ connections, mysqlUrls: {}, onFailure: nothing });
  const kubernetes = { context: 'demo', namespaces: ['shop'] };
  const reach = targets.reachOf({ unit: () => ({ mysql: [], kubernetes }) } as never, unit);
  return openJob(reach, { unit, namespace: 'shop', id });
}

const spec = {
  template: {
    spec: { restartPolicy: 'Never', containers: [{ name: 'report', image: 'keypad-demo/report:1' }] },
  },
};

describe('a Job', () => {
  test('says what it will do, does it once, and is followed to its end with its last lines', async () => {
    const { shown, answer } = await change('quick');
    expect(shown).toMatchObject({
      risk: 'low',
      lines: ['电商 · 命名空间 shop', '运行任务 keypad-demo/report:1', '给谁：张三', '最多 60 秒'],
    });
    expect(answer).toEqual({
      state: 'done',
      text: expect.stringMatching(/^报表：任务已完成\nKEYPAD_OPERATION=.*\n报表 张三\nreport is complete$/),
    });
    expect(jobOf(shown.id)?.spec).toMatchObject({ backoffLimit: 0, activeDeadlineSeconds: 60 });
  });

  test.each([
    '$(id)',
    '$(KEYPAD_OPERATION)',
    '$$(INPUT_UNIT)',
    `it's "a" \\ b`,
    '../%2e%2e',
    '`id`; rm -rf /',
  ])('gets what is typed as one value, whatever it is: %s', async (typed) => {
    const { shown, answer } = await change('quick', typed);
    expect(answer).toMatchObject({ state: 'done', text: expect.stringContaining(`\n报表 ${typed}\n`) });
    expect(jobOf(shown.id)?.metadata.labels).toMatchObject({ 'keypad/operation': shown.id });
  });

  test('that fails is said to have failed, with its last lines', async () => {
    expect((await change('fails')).answer).toEqual({
      state: 'failed',
      message: expect.stringMatching(
        /^报表：任务失败了（BackoffLimitExceeded），可能只做了一部分\n[\s\S]*\nreport failed$/,
      ),
    });
  });

  test('that writes megabytes is shown by its end', async () => {
    const { shown, answer } = await change('huge');
    const text = answer.state === 'done' ? answer.text : (await harness.told(shown.id)).text;
    expect(text).toMatch(/\nreport is complete$/);
    expect(text?.length).toBeLessThan(600);
  });

  test('that cannot start is followed on, and says what the cluster says', async () => {
    const { shown, answer } = await change('stuck');
    expect(answer).toMatchObject({ state: 'accepted' });
    await until(async () => (await (await directly(shown.id)).state())?.waiting !== undefined);
    harness.clock.pass(130_000);
    expect((await harness.told(shown.id)).text).toContain('任务还没有结束（');
  });

  test('is cancelled by another operation, and whoever started it hears so', async () => {
    const { shown } = await change('slow');
    const input = { unit, namespace: 'shop', name: `keypad-${shown.id}` };
    const here = await harness.startReplica();
    const listed = await here.as('zhangsan').read('k8s.jobs.list', { unit });
    expect(listed.map(({ name }) => name)).toContain(input.name);
    const cancelling = await here.as('zhangsan').preview('k8s.jobs.cancel', input);
    expect(
      await here.as('zhangsan').run('k8s.jobs.cancel', input, cancelling, cancelling.code),
    ).toMatchObject({
      text: `已取消任务 ${input.name}`,
    });
    // What is told to one user is told in order.
    await here.as('zhangsan').acknowledge('operation.received', { ids: [cancelling.id] });
    expect((await harness.told(shown.id)).text).toBe(
      '报表：任务被取消了（已从集群里删除），可能只做了一部分',
    );
    expect(await here.as('zhangsan').post('k8s.jobs.cancel/preview', input)).toMatchObject({
      reason: 'missing',
    });
  });
});

describe('after a crash', () => {
  test('before it was created, it never will be: one that is still on its way finds its name taken', async () => {
    const id = await abandoned('quick');
    await ops.sweep();
    expect((await harness.told(id)).text).toContain('没有执行');
    expect(jobOf(id)?.spec.suspend).toBe(true);
    const job = await directly(id);
    await expect(job.create(spec as never)).rejects.toMatchObject({ reason: 'moved' });
    expect(await job.state()).toBeUndefined();
    expect(await job.reconcile(spec as never)).toEqual({ effect: 'never' });
  });

  test('after it was created it is followed to its end, and created once however often that is sent', async () => {
    const id = await abandoned('quick');
    const job = await directly(id);
    await job.create(spec as never);
    await job.create(spec as never);
    await ops.sweep();
    expect((await harness.told(id)).text).toContain('任务已完成');
  });
});

test.each([
  ['risk: low', 'risk: read', 'risk: a Job changes the cluster; write low or high'],
  [
    'args: ["报表 $(INPUT_FOR_WHOM)"]',
    'env: [{ name: INPUT_FOR_WHOM, value: x }]',
    'job.pod: container report has a variable INPUT_FOR_WHOM, which is an input',
  ],
  ['    containers:', '    restartPolicy: Always\n    containers:', 'job.pod.restartPolicy: is Never'],
  ['seconds: 60', 'seconds: 0', 'job.seconds: '],
  ['forWhom:', 'unit:', 'input: `unit` and `id` are always there'],
  ['type: string', 'type: number', 'input.forWhom: '],
])('%s → %s is named when it is loaded', (from, to, problem) => {
  expect(() => readDeclared(declaration().replace(from, to))).toThrow(problem);
});
