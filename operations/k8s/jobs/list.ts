import { BatchV1Api, type V1Job } from '@kubernetes/client-node';
import * as z from 'zod';
import { kubernetesName, listOf, read, unit } from '#operations';

/** A Job that runs for an operation. `key` is `namespace/name`; `age` is in seconds. */
const form = z.object({
  key: z.string(),
  label: z.string(),
  namespace: kubernetesName,
  name: kubernetesName,
  age: z.int(),
});

/** Lists the Jobs that Keypad has begun in a unit and that have not ended, the newest first. */
export default read({
  title: '运行中的任务',
  input: z.strictObject({ unit }),
  output: z.array(form),
  async run(context, { unit }) {
    const { cluster, namespaces } = context.cluster(unit);
    const batch = cluster.api(BatchV1Api);
    const jobs = await listOf({
      places: namespaces,
      nameOf: (namespace) => `命名空间 ${namespace}`,
      async read(namespace) {
        const request = { namespace, labelSelector: 'keypad/operation', limit: 500 };
        const found = await cluster.listed(namespace, 'JobList', batch.listNamespacedJob(request));
        const running = found.filter(isRunning);
        return Object.assign(running, found.unread && { unread: found.unread });
      },
      form,
      rowOf: ({ metadata, spec }: V1Job, namespace) => {
        const name = metadata?.name ?? '';
        const age = Math.max(
          0,
          Math.floor((context.now - (metadata?.creationTimestamp?.getTime() || context.now)) / 1000),
        );
        const image = spec?.template.spec?.containers[0]?.image ?? '';
        return { key: `${namespace}/${name}`, label: `${image}  已运行 ${age} 秒`, namespace, name, age };
      },
    });
    return jobs.sort((a, b) => a.age - b.age);
  },
});

function isRunning({ status }: V1Job): boolean {
  return !(status?.conditions ?? []).some(
    ({ type, status: value }) => /^(Complete|Failed)$/.test(type) && value === 'True',
  );
}
