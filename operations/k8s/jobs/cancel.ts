import { BatchV1Api, type V1Job } from '@kubernetes/client-node';
import * as z from 'zod';
import { type Context, change, kubernetesName, Refused, unit } from '#operations';

/** Ends a Job that Keypad has begun, with its pod. Whoever started it hears that it was cancelled. */
export default change({
  title: '取消任务',
  input: z.strictObject({ unit, namespace: kubernetesName, name: kubernetesName }),

  async inspect(context, input) {
    const job = await findJob(context, input);
    if (job?.metadata?.labels?.['keypad/operation'] === undefined) throw gone();
    const image = job.spec?.template.spec?.containers[0]?.image ?? '';
    return {
      target: `${input.namespace}/${input.name}`,
      lines: [`${input.unit} · ${input.namespace}/${input.name}`, `取消任务 ${image}，已经做了的不会撤回`],
      risk: 'high',
      before: { image },
      version: job.metadata.uid ?? '',
    };
  },

  async apply(context, { input: { unit, namespace, name }, version: uid }, checkTime) {
    const { cluster } = context.cluster(unit, namespace);
    checkTime();
    // Of that uid only: a Job of the same name is another one.
    const body = { preconditions: { uid }, propagationPolicy: 'Background' };
    await cluster.removed(name, cluster.api(BatchV1Api).deleteNamespacedJob({ namespace, name, body }));
  },

  async observe(context, { input, version }) {
    const job = await findJob(context, input);
    const final = job?.metadata?.uid !== version;
    return { final, text: final ? `已取消任务 ${input.name}` : `任务 ${input.name} 正在结束` };
  },

  async reconcile(context, { input, version }) {
    const job = await findJob(context, input);
    if (job?.metadata?.uid !== version) return { effect: 'unknown', text: '任务已经不在了' };
    if (job.metadata.deletionTimestamp) return { effect: 'applied' };
    return { effect: 'unknown', text: '任务还在运行' };
  },
});

async function findJob(
  context: Context,
  { unit, namespace, name }: { readonly unit: string; readonly namespace: string; readonly name: string },
): Promise<V1Job | undefined> {
  const { cluster } = context.cluster(unit, namespace);
  const reading = cluster.api(BatchV1Api).readNamespacedJob({ namespace, name });
  return cluster.read(`${namespace}/${name}`, 'Job', reading).catch((error: unknown) => {
    if (error instanceof Refused && error.reason === 'missing') return undefined;
    throw error;
  });
}

function gone(): Refused {
  return new Refused('missing', '这个任务已经结束，不用取消');
}
