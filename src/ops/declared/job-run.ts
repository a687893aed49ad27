import { BatchV1Api, CoreV1Api, type V1Job, type V1JobSpec } from '@kubernetes/client-node';
import { Refused } from '../../errors.ts';
import type { Finding } from '../operations/operation.ts';
import { TargetFailed } from '../target-failed.ts';
import type { Reach } from '../targets/targets.ts';

/** The label of a Job that holds a name, so that a creation which is still on its way finds it taken. */
export const FENCED_BY = 'keypad/not-executed';
/** The label that says for which operation a Job runs. */
export const RUNS_FOR = 'keypad/operation';

/** A log is read from its end, so much of it. */
const LOG_BYTES = 64 * 1024;

/** Where a Job stands, and what it is called: made from the id of its operation, so that there is one at most. */
export interface JobPlace {
  readonly unit: string;
  readonly namespace: string;
  readonly id: string;
}

/** How a Job stands. */
export interface JobState {
  readonly ended?: 'complete' | 'failed';
  /** Why it failed, in the cluster's words. */
  readonly reason?: string;
  /** Why its pod does not run yet, in the cluster's words. */
  readonly waiting?: string;
}

/** Opens the one Job of an operation; see `openCluster` (targets/cluster.ts) for what is thrown. */
export function openJob(reach: Reach, { unit, namespace, id }: JobPlace) {
  const { cluster } = reach.cluster(unit, namespace);
  const batch = cluster.api(BatchV1Api);
  const core = cluster.api(CoreV1Api);
  const name = `keypad-${id}`;
  const find = async (): Promise<V1Job | undefined> => {
    try {
      return await cluster.read(`${namespace}/${name}`, 'Job', batch.readNamespacedJob({ namespace, name }));
    } catch (error) {
      if (error instanceof Refused && error.reason === 'missing') return undefined;
      throw error;
    }
  };
  const isFence = (job: V1Job): boolean => job.metadata?.labels?.[FENCED_BY] !== undefined;
  /** False when the name is taken. */
  const create = async (label: string, spec: V1JobSpec): Promise<boolean> => {
    const metadata = { name, namespace, labels: { [label]: id } };
    const body = { apiVersion: 'batch/v1', kind: 'Job', metadata, spec };
    const creating = batch.createNamespacedJob({ namespace, body, fieldManager: `keypad-${id}` });
    try {
      await cluster.written(name, 'Job', creating);
      return true;
    } catch (error) {
      if (error instanceof Refused && error.reason === 'moved') return false;
      throw error;
    }
  };
  const podOf = async () => {
    const labelSelector = `batch.kubernetes.io/job-name=${name}`;
    const pods = await cluster.listed(
      namespace,
      'PodList',
      core.listNamespacedPod({ namespace, labelSelector, limit: 10 }),
    );
    return pods.at(-1);
  };
  return {
    /** Creates it, once however often this is sent. Throws Refused('moved') when its name was taken so that it cannot come any more. */
    async create(spec: V1JobSpec): Promise<void> {
      if (await create(RUNS_FOR, spec)) return;
      const job = await find();
      if (job === undefined || isFence(job)) throw new Refused('moved', '这个任务已经作废');
    },
    /** Undefined when it is not there. */
    async state(): Promise<JobState | undefined> {
      const job = await find();
      if (job === undefined || isFence(job)) return undefined;
      const conditions = job.status?.conditions ?? [];
      const end = conditions.find(
        ({ type, status }) => /^(Complete|Failed)$/.test(type) && status === 'True',
      );
      if (end !== undefined) {
        return end.type === 'Complete'
          ? { ended: 'complete' }
          : { ended: 'failed', reason: end.reason ?? '' };
      }
      const waiting = (await podOf())?.status?.containerStatuses?.[0]?.state?.waiting?.reason;
      return waiting === undefined ? {} : { waiting };
    },
    /** The last lines that its pod has written; none while there is no log, or it cannot be read. */
    async lastLines(lines: number): Promise<readonly string[]> {
      try {
        const pod = await podOf();
        const { running, terminated } = pod?.status?.containerStatuses?.[0]?.state ?? {};
        if (pod?.metadata?.name === undefined || !(running ?? terminated)) return [];
        const request = { namespace, name: pod.metadata.name, tailLines: lines, limitBytes: LOG_BYTES };
        const text = await cluster.text(pod.metadata.name, core.readNamespacedPodLog(request));
        return text.split('\n').filter((line) => line.trim() !== '');
      } catch (error) {
        if (error instanceof Refused || error instanceof TargetFailed) return [];
        throw error;
      }
    },
    /** Finds out whether it was created. `never` is answered only once its name is taken by one that runs nothing. */
    async reconcile(spec: V1JobSpec): Promise<Finding> {
      const job = await find();
      if (job !== undefined) return { effect: isFence(job) ? 'never' : 'applied' };
      if (await create(FENCED_BY, { ...spec, suspend: true })) return { effect: 'never' };
      return { effect: (await find().then((found) => found && !isFence(found))) ? 'applied' : 'never' };
    },
  };
}
