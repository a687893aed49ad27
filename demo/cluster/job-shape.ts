import * as z from 'zod';
import { isRecord } from './json.ts';
import { annotations, condition, labels } from './metadata-shape.ts';
import { podSpec, selector } from './pod-shape.ts';

const count = z.int().min(0);
const onePod = 'this cluster runs one pod of a Job at a time, until one succeeds: only 1 is supported';
const notHere = z.never('this cluster does not know this field').optional();

/** The labels by which a Job knows its pods: today's names, and those of old. */
const uidLabels = ['batch.kubernetes.io/controller-uid', 'controller-uid'] as const;
const nameLabels = ['batch.kubernetes.io/job-name', 'job-name'] as const;

const never = 'Unsupported value: this cluster restarts no container of a Job: supported values: "Never"';
const template = z.looseObject({
  metadata: z.looseObject({
    labels,
    annotations: annotations.optional(),
  }),
  spec: podSpec.extend({ restartPolicy: z.literal('Never', never), initContainers: notHere }),
});

/** What a Job asks for, with the defaults of the real server. What this one would not do is refused. */
export const jobSpec = z.looseObject({
  parallelism: z.literal(1, onePod).default(1),
  completions: z.literal(1, onePod).default(1),
  completionMode: z.literal('NonIndexed', 'this cluster only knows "NonIndexed"').default('NonIndexed'),
  suspend: z.boolean().default(false),
  manualSelector: z.literal(false, 'this cluster gives every Job its selector').default(false),
  podReplacementPolicy: z
    .literal('TerminatingOrFailed', 'this cluster only knows "TerminatingOrFailed"')
    .default('TerminatingOrFailed'),
  backoffLimit: count.default(6),
  activeDeadlineSeconds: count.optional(),
  ttlSecondsAfterFinished: count.optional(),
  backoffLimitPerIndex: notHere,
  managedBy: notHere,
  maxFailedIndexes: notHere,
  podFailurePolicy: notHere,
  successPolicy: notHere,
  selector,
  template,
});

/** What became of a Job. */
export const jobStatus = z.looseObject({
  active: count.optional(),
  ready: count.optional(),
  terminating: count.optional(),
  succeeded: count.optional(),
  failed: count.optional(),
  startTime: z.string().optional(),
  completionTime: z.string().optional(),
  conditions: z.array(condition).optional(),
});

/** A new Job with the selector that the server makes for it, and with the labels of its pods, which are its own too when it has none; a selector of its own is left. */
export function withGeneratedSelector<P extends Readonly<Record<string, unknown>>>(proposal: P): P {
  const { metadata, spec } = proposal;
  if (!isRecord(metadata) || !isRecord(spec) || !isRecord(spec.template)) return proposal;
  const given = isRecord(spec.template.metadata) ? spec.template.metadata : {};
  const generated = Object.fromEntries([
    ...uidLabels.map((label) => [label, metadata.uid]),
    ...nameLabels.map((label) => [label, metadata.name]),
  ]);
  const marked = { ...(isRecord(given.labels) ? given.labels : {}), ...generated };
  return {
    ...proposal,
    metadata: { ...metadata, labels: metadata.labels ?? marked },
    spec: {
      selector: { matchLabels: { [uidLabels[0]]: metadata.uid } },
      ...spec,
      template: { ...spec.template, metadata: { ...given, labels: marked } },
    },
  };
}

/** Whether a Job's selector is the one that was made for it. */
export function hasGeneratedSelector(job: {
  readonly metadata: { readonly uid: string };
  readonly spec: { readonly selector: z.infer<typeof selector> };
}): boolean {
  return job.spec.selector.matchLabels[uidLabels[0]] === job.metadata.uid;
}

/** What to say when it is not. */
export const selectorNotGenerated = { path: ['spec', 'selector'], message: '`selector` not auto-generated' };
