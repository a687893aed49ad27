import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { startCluster } from '../../../demo/cluster/cluster.ts';
import { demoSeed } from '../../../demo/cluster/seed.ts';

const isInstalled = hasKubectl();
const withKubectl = test.skipIf(!isInstalled);
const where = isInstalled ? '' : ' (skipped: kubectl is not installed)';

const directory = mkdtempSync(join(tmpdir(), 'keypad-kubectl-'));
const cluster = await startCluster({ port: 0, token: 'kubectl-token', seed: demoSeed, tick: 0 });
const kubeconfig = join(directory, 'kubeconfig');
writeFileSync(kubeconfig, cluster.kubeconfig, { mode: 0o600 });
afterAll(async () => {
  await cluster.stop();
  rmSync(directory, { recursive: true, force: true });
});

function hasKubectl(): boolean {
  try {
    execFileSync('kubectl', ['version', '--client'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Runs kubectl with nothing of the person's own settings, and answers what it prints. */
async function kubectl(...args: readonly string[]): Promise<string> {
  const options = ['--kubeconfig', kubeconfig, '--cache-dir', join(directory, 'cache')];
  const env = { PATH: process.env.PATH, HOME: directory, KUBE_EDITOR: join(directory, 'editor') };
  const { stdout } = await promisify(execFile)('kubectl', [...options, ...args], { env, timeout: 20_000 });
  return stdout;
}

/** Runs `kubectl edit` with a script of sed as the editor. */
async function kubectlEdit(script: string, ...args: readonly string[]): Promise<void> {
  const editor = join(directory, 'editor');
  writeFileSync(editor, `#!/bin/sh\nsed -i '${script}' "$1"\n`, { mode: 0o700 });
  await kubectl('edit', ...args);
}

/** The first words of a line of a table, as often as there are columns. */
function cells(table: string, name: string): readonly string[] {
  const line = table.split('\n').find((each) => each.split(/\s+/).includes(name)) ?? '';
  return line.trim().split(/\s+/);
}

withKubectl(`kubectl shows the deployments and pods of all namespaces${where}`, async () => {
  const text = await kubectl('get', 'deployments,pods', '-A');
  expect(text).toMatch(/NAMESPACE +NAME +READY +UP-TO-DATE +AVAILABLE +AGE/);
  expect(cells(text, 'deployment.apps/api-gateway')).toEqual([
    'shop',
    'deployment.apps/api-gateway',
    '4/4',
    '4',
    '4',
    '41d',
  ]);
  expect(cells(text, 'deployment.apps/coupon').slice(2, 5)).toEqual(['0/2', '2', '0']);
  expect(text).toMatch(/pay +pod\/settle-\w+-\w+ +1\/1 +Running +0 +62d/);
  expect(text).toMatch(/shop +pod\/coupon-\w+-\w+ +0\/1 +ImagePullBackOff +0 +26m/);
});

withKubectl(`kubectl shows the node, the namespaces and the autoscaler${where}`, async () => {
  const text = await kubectl('get', 'nodes,namespaces,hpa', '-A');
  expect(text).toMatch(/node\/demo-1 +Ready +worker +150d +v1\.32\.0/);
  expect(text).toMatch(/namespace\/pay +Active +150d/);
  expect(text).toMatch(/api-gateway +Deployment\/api-gateway +cpu: 63%\/70% +2 +10 +4 +40d/);
});

withKubectl(`kubectl scales, and waits until it is so${where}`, async () => {
  await kubectl('scale', '-n', 'shop', 'deployment/web', '--replicas=3');
  await kubectl('rollout', 'status', '-n', 'shop', 'deployment/web', '--timeout=15s');
  expect(cells(await kubectl('get', '-n', 'shop', 'deployment', 'web'), 'web').slice(0, 4)).toEqual([
    'web',
    '3/3',
    '3',
    '3',
  ]);
  const stale = kubectl('scale', '-n', 'shop', 'deployment/web', '--current-replicas=9', '--replicas=1');
  await expect(stale).rejects.toThrow('Expected replicas to be 9, was 3');
});

withKubectl(`kubectl restarts a deployment and takes the restart back${where}`, async () => {
  const pods = async () =>
    (await kubectl('get', 'pods', '-n', 'shop', '-l', 'app=cart', '-o', 'name')).split('\n');
  const before = await pods();
  await kubectl('rollout', 'restart', '-n', 'shop', 'deployment/cart');
  await kubectl('rollout', 'status', '-n', 'shop', 'deployment/cart', '--timeout=15s');
  expect((await pods()).filter((pod) => pod !== '' && before.includes(pod))).toEqual([]);
  await kubectl('rollout', 'undo', '-n', 'shop', 'deployment/cart');
  await kubectl('rollout', 'status', '-n', 'shop', 'deployment/cart', '--timeout=15s');
  expect(await kubectl('rollout', 'history', '-n', 'shop', 'deployment/cart')).toMatch(/^2 .*\n3 /m);
});

withKubectl(`kubectl watches until its time is over${where}`, async () => {
  const watching = kubectl('get', '-n', 'pay', 'deployment', 'settle', '-w', '--request-timeout=4s');
  cluster.scale('pay', 'settle', 2);
  const lines = (await watching).trim().split('\n');
  expect(lines[0]).toMatch(/^NAME +READY/);
  expect(lines.at(-1)).toMatch(/^settle +2\/2/);
});

withKubectl(`kubectl repairs the broken deployment with an image that is there${where}`, async () => {
  const status = kubectl('rollout', 'status', '-n', 'shop', 'deployment/coupon', '--timeout=15s');
  await expect(status).rejects.toThrow('exceeded its progress deadline');
  const image = 'coupon=registry.example.com/shop/coupon:2.7.4';
  await kubectl('set', 'image', '-n', 'shop', 'deployment/coupon', image);
  await kubectl('rollout', 'status', '-n', 'shop', 'deployment/coupon', '--timeout=15s');
});

withKubectl(`kubectl describes, reads logs and deletes a pod${where}`, async () => {
  expect(await kubectl('describe', '-n', 'shop', 'deployment/order')).toContain('NewReplicaSetAvailable');
  expect(await kubectl('logs', '-n', 'pay', 'deployment/payment-core', '--tail=2')).toMatch(/payment \d+/);
  const [pod = ''] = (await kubectl('get', 'pods', '-n', 'pay', '-l', 'app=risk-engine', '-o', 'name')).split(
    '\n',
  );
  await kubectl('delete', '-n', 'pay', pod, '--timeout=15s');
  expect(await kubectl('get', 'pods', '-n', 'pay', '-o', 'name')).not.toContain(pod);
});

withKubectl(`kubectl says what the server refuses${where}`, async () => {
  await expect(kubectl('get', 'deployment', 'nothing', '-n', 'shop')).rejects.toThrow(
    'Error from server (NotFound): deployments.apps "nothing" not found',
  );
  await expect(kubectl('delete', 'namespace', 'pay')).rejects.toThrow('MethodNotAllowed');
});

withKubectl(
  `kubectl makes a deployment, pauses it, and resumes what was changed meanwhile${where}`,
  async () => {
    const shop = (...args: readonly string[]) => kubectl('-n', 'shop', ...args);
    await shop(
      'create',
      'deployment',
      'new',
      '--image=shop/new:1',
      '--replicas=2',
      '--port=80',
      '--',
      'serve',
    );
    await shop('rollout', 'status', 'deployment', 'new');
    const made = cluster.get('deployments', 'shop', 'new')?.spec;
    expect(made).toMatchObject({ replicas: 2, selector: { matchLabels: { app: 'new' } } });
    expect(made?.template.spec.containers).toEqual([
      { name: 'new', image: 'shop/new:1', ports: [{ containerPort: 80 }], command: ['serve'] },
    ]);

    await shop('rollout', 'pause', 'deployment', 'new');
    await shop('set', 'image', 'deployment', 'new', 'new=shop/new:2');
    await shop('scale', 'deployment', 'new', '--replicas=3');
    expect(cells(await shop('get', 'deployment', 'new'), 'new').slice(1, 4)).toEqual(['3/3', '0', '3']);
    await shop('rollout', 'resume', 'deployment', 'new');
    await shop('rollout', 'status', 'deployment', 'new');
    expect(cells(await shop('get', 'deployment', 'new'), 'new').slice(1, 4)).toEqual(['3/3', '3', '3']);
    await expect(shop('autoscale', 'deployment', 'new', '--max=3')).rejects.toThrow('send JSON');
  },
);

withKubectl(`kubectl applies a file as it is, and explains what may stand in it${where}`, async () => {
  const file = join(directory, 'applied.json');
  const labels = { app: 'applied' };
  const write = (count: object) => {
    const containers = [{ name: 'applied', image: 'pay/applied:1' }];
    const template = { metadata: { labels }, spec: { containers } };
    const spec = { ...count, selector: { matchLabels: labels }, template };
    const metadata = { name: 'applied', namespace: 'pay' };
    writeFileSync(file, JSON.stringify({ apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec }));
  };
  write({ replicas: 1 });
  expect(await kubectl('apply', '-f', file)).toContain('created');
  write({ replicas: 2 });
  expect(await kubectl('apply', '-f', file)).toContain('configured');
  expect(cluster.get('deployments', 'pay', 'applied')?.spec.replicas).toBe(2);
  write({ replica: 3 });
  await expect(kubectl('apply', '-f', file)).rejects.toThrow('unknown field "spec.replica"');
  expect(await kubectl('explain', 'deployment.spec.replicas')).toContain('Number of desired pods');
});

withKubectl(`kubectl auth says that the token may do everything, and whose it is${where}`, async () => {
  expect(await kubectl('auth', 'can-i', 'delete', 'deployments', '-n', 'shop')).toBe('yes\n');
  expect(await kubectl('auth', 'can-i', 'get', '/version')).toBe('yes\n');
  expect(await kubectl('auth', 'can-i', '--list', '-n', 'shop')).toMatch(/^\*\.\* +\[\] +\[\] +\[\*\]$/m);
  expect(await kubectl('auth', 'whoami')).toMatch(/Username +demo\n/);
});

withKubectl(`kubectl makes a Job, waits for its end, and reads what it wrote${where}`, async () => {
  const shop = (...args: readonly string[]) => kubectl('-n', 'shop', ...args);
  await shop('create', 'job', 'hello', '--image=keypad-demo/report');
  await shop('wait', 'job/hello', '--for=condition=complete', '--timeout=15s');
  expect(cells(await shop('get', 'jobs'), 'hello').slice(0, 3)).toEqual(['hello', 'Complete', '1/1']);
  expect(await shop('logs', 'job/hello')).toMatch(/^report begins in hello-\w+\nreport is complete\n$/);
  expect(await shop('get', 'pods', '-l', 'job-name=hello')).toMatch(/hello-\w+ +0\/1 +Completed +0 /);
  expect(await shop('describe', 'job', 'hello')).toMatch(/Completed +\S+ +job-controller +Job completed/);
  await shop('delete', 'job', 'hello');
  expect(await shop('get', 'pods', '-l', 'job-name=hello', '-o', 'name')).toBe('');
});

withKubectl(
  `kubectl applies on the server's side, and takes over what it had applied before${where}`,
  async () => {
    const file = join(directory, 'taken.json');
    const labels = { app: 'taken' };
    const write = (replicas: number) => {
      const template = { metadata: { labels }, spec: { containers: [{ name: 'a', image: 'pay/a:1' }] } };
      const spec = { replicas, selector: { matchLabels: labels }, template };
      const metadata = { name: 'taken', namespace: 'pay' };
      writeFileSync(file, JSON.stringify({ apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec }));
    };
    write(1);
    await kubectl('apply', '-f', file);
    write(2);
    expect(await kubectl('apply', '--server-side', '-f', file)).toContain('serverside-applied');
    const entries = cluster.get('deployments', 'pay', 'taken')?.metadata.managedFields ?? [];
    const writers = entries.map(({ manager, operation }) => `${manager} ${operation}`);
    const expected = ['kube-controller-manager Update', 'kubectl Apply', 'kubectl-last-applied Apply'];
    expect(writers.toSorted()).toEqual(expected);
    cluster.scale('pay', 'taken', 5);
    await expect(kubectl('apply', '--server-side', '-f', file)).rejects.toThrow('conflict with "hand"');
    await kubectl('apply', '--server-side', '--force-conflicts', '-f', file);
    expect(cluster.get('deployments', 'pay', 'taken')?.spec.replicas).toBe(2);
  },
);

withKubectl(`kubectl makes a namespace, and changes an object in all its ways${where}`, async () => {
  await kubectl('create', 'namespace', 'team');
  expect(cells(await kubectl('get', 'namespace', 'team'), 'team').slice(0, 2)).toEqual(['team', 'Active']);
  const team = (...args: readonly string[]) => kubectl('-n', 'team', ...args);
  await team('create', 'deployment', 'a', '--image=a:1');
  await team('wait', 'deployment/a', '--for=condition=Available', '--timeout=15s');
  await team('label', 'deployment/a', 'tier=front');
  await expect(team('label', 'deployment/a', 'tier=back')).rejects.toThrow('already has a value');
  await team('annotate', 'deployment/a', 'note=two words');
  await team(
    'patch',
    'deployment/a',
    '-p',
    '{"spec":{"template":{"spec":{"containers":[{"name":"a","image":"a:2"}]}}}}',
  );
  await team('patch', 'deployment/a', '--type=merge', '-p', '{"spec":{"minReadySeconds":1}}');
  await team(
    'patch',
    'deployment/a',
    '--type=json',
    '-p',
    '[{"op":"remove","path":"/metadata/annotations/note"}]',
  );
  await team('set', 'image', 'deployment/a', 'a=a:3');
  const path = '{.metadata.labels.tier} {.spec.minReadySeconds} {.spec.template.spec.containers[0].image}';
  expect(await team('get', 'deployment/a', '-o', `jsonpath=${path}`)).toBe('front 1 a:3');
  expect(await team('get', 'deployment', '-o', 'name')).toBe('deployment.apps/a\n');
  expect(await team('get', 'deployment', '-o', 'wide')).toMatch(/ a +a:3 +app=a\n/);

  const file = join(directory, 'read.yaml');
  const yaml = await team('get', 'deployment/a', '-o', 'yaml');
  writeFileSync(file, yaml.replace('image: a:3', 'image: a:4'));
  await team('replace', '-f', file);
  await expect(team('replace', '-f', file)).rejects.toThrow('the object has been modified');
  await kubectlEdit('s/image: a:4/image: a:5/', '-n', 'team', 'deployment/a');
  expect(await team('get', 'deployment/a', '-o', `jsonpath=${path}`)).toBe('front 1 a:5');
  await team('rollout', 'status', 'deployment/a', '--timeout=15s');
  await team('delete', 'deployment/a');
  await expect(kubectl('delete', 'namespace', 'team')).rejects.toThrow('this cluster does not serve DELETE');
});
