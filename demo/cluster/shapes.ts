import * as z from 'zod';
import { hasGeneratedSelector, jobSpec, jobStatus, selectorNotGenerated } from './job-shape.ts';
import { isRecord } from './json.ts';
import { condition, type managedFields, metadata } from './metadata-shape.ts';
import { podSpec, podStatus, selector, selectorMismatch, selectsItsPods, template } from './pod-shape.ts';

const head = { apiVersion: z.string(), kind: z.string(), metadata };
const count = z.int().min(0);
const share = z.union([count, z.string().regex(/^\d+%$/)]);
const rolling = z.looseObject({ maxSurge: share.default('25%'), maxUnavailable: share.default('25%') });

/** A strategy without a type is a rolling update. */
const strategy = z.preprocess(
  (given) => (isRecord(given) ? { type: 'RollingUpdate', ...given } : given),
  z.discriminatedUnion('type', [
    z.looseObject({ type: z.literal('RollingUpdate'), rollingUpdate: rolling.prefault({}) }),
    z.looseObject({ type: z.literal('Recreate') }),
  ]),
);

/** How much of a resource is used, or should be, in percent of what is asked for. */
function usage<K extends 'target' | 'current'>(key: K) {
  const percent = z.looseObject({ averageUtilization: count.optional() });
  return z.looseObject({ name: z.string(), [key]: percent } as { name: z.ZodString } & Record<
    K,
    typeof percent
  >);
}

/**
 * The part of each kind that this server itself reads, with the defaults of the real one.
 * Everything else in an object is kept as it came.
 */
export const shapes = {
  namespaces: z
    .looseObject({ ...head, status: z.looseObject({ phase: z.string() }).default({ phase: 'Active' }) })
    .refine(({ metadata: { name } }) => !name.includes('.'), {
      path: ['metadata', 'name'],
      message: 'must not contain dots',
    }),
  nodes: z.looseObject({
    ...head,
    spec: z.looseObject({ unschedulable: z.boolean().optional() }).default({}),
    status: z.looseObject({ conditions: z.array(condition).optional() }).optional(),
  }),
  pods: z.looseObject({ ...head, spec: podSpec, status: podStatus.prefault({}) }),
  events: z.looseObject({
    ...head,
    involvedObject: z.looseObject({ kind: z.string(), name: z.string() }),
    type: z.string().optional(),
    reason: z.string().optional(),
    message: z.string().optional(),
    count: count.optional(),
    lastTimestamp: z.string().optional(),
  }),
  deployments: z
    .looseObject({
      ...head,
      spec: z.looseObject({
        replicas: count.default(1),
        selector,
        template,
        strategy: strategy.prefault({}),
        revisionHistoryLimit: count.default(10),
        progressDeadlineSeconds: count.default(600),
        paused: z.boolean().optional(),
      }),
      status: z
        .looseObject({
          observedGeneration: z.int().optional(),
          replicas: count.optional(),
          updatedReplicas: count.optional(),
          readyReplicas: count.optional(),
          availableReplicas: count.optional(),
          conditions: z.array(condition).optional(),
        })
        .default({}),
    })
    .refine(selectsItsPods, selectorMismatch),
  replicasets: z
    .looseObject({
      ...head,
      spec: z.looseObject({ replicas: count.default(1), selector, template }),
      status: z
        .looseObject({
          replicas: count.optional(),
          readyReplicas: count.optional(),
          availableReplicas: count.optional(),
          conditions: z.array(condition).optional(),
        })
        .default({}),
    })
    .refine(selectsItsPods, selectorMismatch),
  jobs: z
    .looseObject({ ...head, spec: jobSpec, status: jobStatus.default({}) })
    .refine(hasGeneratedSelector, selectorNotGenerated),
  horizontalpodautoscalers: z.looseObject({
    ...head,
    spec: z.looseObject({
      scaleTargetRef: z.looseObject({ kind: z.string(), name: z.string() }),
      minReplicas: count.default(1),
      maxReplicas: z.int().min(1),
      metrics: z.array(z.looseObject({ resource: usage('target').optional() })).optional(),
    }),
    status: z
      .looseObject({
        currentReplicas: count.optional(),
        currentMetrics: z.array(z.looseObject({ resource: usage('current').optional() })).optional(),
      })
      .optional(),
  }),
} as const;

/** The plural name of a kind, as it stands in URLs. No two groups here share one. */
export type Plural = keyof typeof shapes;

/** What an object of each kind looks like to this server. */
export type Kinds = { readonly [P in Plural]: z.infer<(typeof shapes)[P]> };

/** A deployment as stored: defaults are filled in. */
export type Deployment = Kinds['deployments'];
/** A ReplicaSet as stored. */
export type ReplicaSet = Kinds['replicasets'];
/** A Job as stored. */
export type Job = Kinds['jobs'];
/** A pod as stored; its phase is always there. */
export type Pod = Kinds['pods'];
/** What every object carries. */
export type Metadata = z.infer<typeof metadata>;
/** Who wrote which fields last. */
export type ManagedFields = z.infer<typeof managedFields>;
/** One thing that holds of an object or does not. */
export type Condition = z.infer<typeof condition>;

/** Any object of the cluster. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly [field: string]: unknown;
}
