import type { V1EnvVar, V1JobSpec } from '@kubernetes/client-node';
import * as z from 'zod';
import { kubernetesName } from '../../contract/operation.ts';
import { ConfigError, InputError } from '../../errors.ts';
import { type ChangeOperation, change } from '../operations/operation.ts';
import type { Reach } from '../targets/targets.ts';
import { readDeclaration } from './declaration.ts';
import { type Inputs, schemaOf, type Values } from './inputs.ts';
import { openJob } from './job-run.ts';

/** A container as Kubernetes has it; what is not named here goes to the cluster as it is. */
const container = z.looseObject({
  name: z.string().min(1),
  image: z.string().min(1),
  env: z.array(z.looseObject({ name: z.string() })).optional(),
});

const form = z.strictObject({
  /** One of the unit's namespaces; where it is left out, the only one that the unit has. */
  namespace: kubernetesName.optional(),
  /** The spec of the pod, as Kubernetes has it. */
  pod: z.looseObject({
    containers: z.array(container).min(1),
    restartPolicy: z.literal('Never', 'is Never: what failed is not run again by itself').optional(),
  }),
  /** For so long it may run; then the cluster ends it. */
  seconds: z.int().min(1).max(86_400),
  /** So many of its last lines are shown. */
  lines: z.int().min(0).max(100).default(10),
  /** For so long the cluster keeps it after its end, with its log. */
  keepSeconds: z.int().min(60).max(2_592_000).default(86_400),
});
type Own = z.infer<typeof form>;

/** How long after its time a Job is looked at. */
const FOLLOWED_PAST_SECONDS = 60;
/** From then on what a Job writes is read while it runs. */
const SHOWN_AFTER_MS = 10_000;

/**
 * Reads the declaration of a Kubernetes Job: its inputs are environment variables of all its containers (`fromDay` is
 * `INPUT_FROM_DAY`), it is created once, and followed to its end. Throws a ConfigError of every problem.
 */
export function readJob(text: string): ChangeOperation<Values> {
  const { title, risk, input: inputs, own, ...rest } = readDeclaration(text, 'job', form);
  const problems = risk === 'read' ? ['risk: a Job changes the cluster; write low or high'] : [];
  const taken = [...Object.keys(inputs).map(variableOf), 'INPUT_UNIT', 'KEYPAD_OPERATION'];
  for (const { name, env = [] } of own.pod.containers) {
    const twins = env.filter((variable) => taken.includes(variable.name));
    for (const twin of twins)
      problems.push(`job.pod: container ${name} has a variable ${twin.name}, which is an input`);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  const specOf = (id: string, values: Values): V1JobSpec => jobSpec(own, inputs, { ...values, id });
  const placeOf = (reach: Reach, id: string, values: Values) => {
    const unit = `${values.unit}`;
    return { unit, namespace: namespaceIn(reach, unit, own.namespace), id };
  };
  const declared = change<Values>({
    title,
    input: schemaOf(inputs),
    async inspect(context, values) {
      const { unit, namespace } = placeOf(context, '', values);
      const images = own.pod.containers.map(({ image }) => image).join('、');
      const given = Object.entries(inputs).map(([name, { title: label }]) => `${label}：${values[name]}`);
      const lines = [
        `${unit} · 命名空间 ${namespace}`,
        `运行任务 ${images}`,
        ...given,
        `最多 ${own.seconds} 秒`,
      ];
      return { target: namespace, lines, risk: risk === 'low' ? 'low' : 'high' };
    },
    async apply(context, { id, input }, checkTime) {
      const job = openJob(context, placeOf(context, id, input));
      checkTime();
      await job.create(specOf(id, input));
    },
    // The cluster ends it by then; how that went has to be seen.
    followSeconds: own.seconds + FOLLOWED_PAST_SECONDS,
    submitted: () => `已提交：${title}，任务在运行，结束后会告诉你`,
    async observe(context, { id, input, startedAt }) {
      const job = openJob(context, placeOf(context, id, input));
      const state = await job.state();
      if (state === undefined) {
        const text = `${title}：任务被取消了（已从集群里删除），可能只做了一部分`;
        return { final: true, text, outcome: 'failed' };
      }
      // What ends at once is looked at often; how far it is matters to whoever waits for longer.
      const isShown = state.ended !== undefined || context.now - startedAt > SHOWN_AFTER_MS;
      const lines = isShown ? await job.lastLines(own.lines) : [];
      if (state.ended === undefined) {
        const why = state.waiting === undefined ? '' : `（${state.waiting}）`;
        return { final: false, text: `${title}：任务还没有结束${why}`, lines };
      }
      if (state.ended === 'complete') return { final: true, text: `${title}：任务已完成`, lines };
      const text = `${title}：任务失败了（${state.reason}），可能只做了一部分`;
      return { final: true, text, lines, outcome: 'failed' };
    },
    reconcile: (context, { id, input }) =>
      openJob(context, placeOf(context, id, input)).reconcile(specOf(id, input)),
  });
  return { ...rest, ...declared };
}

function namespaceIn(reach: Reach, unit: string, declared: string | undefined): string {
  const { namespaces } = reach.cluster(unit, declared);
  const [only, ...others] = namespaces;
  const namespace = declared ?? (others.length === 0 ? only : undefined);
  if (namespace === undefined) throw new InputError(`「${unit}」有几个命名空间，这个操作没有写明是哪一个`);
  return namespace;
}

function jobSpec({ pod, seconds, keepSeconds }: Own, inputs: Inputs, values: Values): V1JobSpec {
  const given = Object.keys(inputs).map((name) => ({ name: variableOf(name), value: `${values[name]}` }));
  const own = [
    ...given,
    { name: 'INPUT_UNIT', value: `${values.unit}` },
    { name: 'KEYPAD_OPERATION', value: `${values.id}` },
  ];
  // They come first, so that the others may name them; a value itself is no template to Kubernetes, whatever is typed.
  const env: V1EnvVar[] = own.map(({ name, value }) => ({ name, value: value.replaceAll('$', '$$$$') }));
  const containers = pod.containers.map((each) => ({ ...each, env: [...env, ...(each.env ?? [])] }));
  return {
    // What failed may have done half of it: whether it is run again is for a person to say.
    backoffLimit: 0,
    activeDeadlineSeconds: seconds,
    ttlSecondsAfterFinished: keepSeconds,
    template: { metadata: { labels: {} }, spec: { ...pod, restartPolicy: 'Never', containers } },
  } as V1JobSpec;
}

/** `fromDay` is `INPUT_FROM_DAY`. */
function variableOf(name: string): string {
  return `INPUT_${name.replaceAll(/[A-Z]/g, (capital) => `_${capital}`).toUpperCase()}`;
}
