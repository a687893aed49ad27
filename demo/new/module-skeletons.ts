import type { Skeleton } from './operation-skeletons.ts';

/** A file of TypeScript for each kind. */
export const moduleSkeletons: Readonly<Record<string, Skeleton>> = {
  change: {
    extension: 'ts',
    text: `import { AppsV1Api, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import * as z from 'zod';
import { change, InputError, kubernetesName, unit } from '#operations';

const MARK = 'keypad-example/marked';

/** What it does, and for whom. */
export default change({
  title: '新操作',
  input: z.strictObject({
    unit,
    namespace: kubernetesName.meta({ title: '命名空间' }),
    name: kubernetesName.meta({ title: '部署' }),
  }),

  async inspect(context, { unit, namespace, name }) {
    const { cluster } = context.cluster(unit, namespace);
    const reading = cluster.api(AppsV1Api).readNamespacedDeployment({ namespace, name });
    const { metadata } = await cluster.read(\`\${namespace}/\${name}\`, 'Deployment', reading);
    if (metadata?.annotations?.[MARK] === 'yes') throw new InputError(\`\${name} 已经有标记了\`);
    return {
      target: \`\${namespace}/\${name}\`,
      lines: [\`\${unit} · \${namespace}/\${name}\`, '标记：没有 → 有'],
      risk: 'low',
      version: metadata?.resourceVersion ?? '',
    };
  },

  async apply(context, { input: { unit, namespace, name }, version }, checkTime) {
    const { cluster } = context.cluster(unit, namespace);
    // The cluster refuses it when the deployment is no longer as it was previewed.
    const body = { metadata: { resourceVersion: version, annotations: { [MARK]: 'yes' } } };
    const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
    checkTime();
    const writing = cluster.api(AppsV1Api).patchNamespacedDeployment({ namespace, name, body }, merge);
    await cluster.written(name, 'Deployment', writing);
  },
});
`,
    takes: ['deployment', 'fakeCluster'],
    tests: (name, file) => `const web = { namespace: 'shop', name: 'web' };

async function open() {
  const cluster = fakeCluster([deployment('shop/web')]);
  const op = await operationWith('${file}', { cluster });
  const marks = () => cluster.get('deployments', 'shop', 'web')?.metadata.annotations;
  return { op, cluster, marks };
}

test('${name} says what will be, and does it once', async () => {
  const { op, marks } = await open();
  expect(await op.preview(web)).toContain('标记：没有 → 有');
  expect(await op.confirm()).toContain('已执行');
  expect(marks()).toMatchObject({ 'keypad-example/marked': 'yes' });
  expect(await op.confirm()).toContain('已经确认过');
});

test('${name} leaves alone what has moved since the preview', async () => {
  const { op, cluster, marks } = await open();
  await op.preview(web);
  cluster.scale('shop', 'web', 2);
  expect(await op.confirm()).toContain('没有执行');
  expect(marks()).not.toMatchObject({ 'keypad-example/marked': 'yes' });
});

test('${name} tells after a crash no more than it knows', async () => {
  const { op } = await open();
  await op.preview(web);
  op.crash('after');
  await op.confirm();
  expect(await op.reconcile()).toContain('结果不明');
});
`,
  },
  read: {
    extension: 'ts',
    text: `import { CoreV1Api, type V1Pod } from '@kubernetes/client-node';
import * as z from 'zod';
import { listOf, read, unit } from '#operations';

const row = z.strictObject({ key: z.string(), label: z.string() });

/** What it shows, and for whom. */
export default read({
  title: '新列表',
  input: z.strictObject({ unit }),
  output: z.array(row),

  run(context, { unit }) {
    const { cluster, namespaces } = context.cluster(unit);
    const core = cluster.api(CoreV1Api);
    return listOf({
      places: namespaces,
      nameOf: (namespace) => \`命名空间 \${namespace}\`,
      read: (namespace) =>
        cluster.listed<V1Pod>(namespace, 'PodList', core.listNamespacedPod({ namespace, limit: 1000 })),
      rowOf: ({ metadata, status }, namespace) => ({
        key: \`\${namespace}/\${metadata?.name}\`,
        label: \`\${metadata?.name}  \${status?.phase}\`,
      }),
      form: row,
    });
  },
});
`,
    takes: ['deployment', 'fakeCluster'],
    tests: (name, file) => `test('${name} lists what the unit has', async () => {
  const cluster = fakeCluster([deployment('shop/web', { replicas: 2 })]);
  const op = await operationWith('${file}', { cluster });
  expect(await op.read({})).toHaveLength(2);
  cluster.refuse(403);
  await expect(op.read({})).rejects.toThrow('不允许 Keypad 这样做');
});
`,
  },
};
