import * as z from 'zod';

const labels = z.record(z.string(), z.string());
const count = z.int().min(0);
const share = z.union([count, z.string().regex(/^\d+%$/)]);

const metadata = z.looseObject({
  name: z
    .string()
    .max(253)
    .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, 'must be a lowercase RFC 1123 name'),
  namespace: z.string().optional(),
  uid: z.string(),
  resourceVersion: z.string(),
  generation: z.int().optional(),
  creationTimestamp: z.string(),
  deletionTimestamp: z.string().optional(),
  labels: labels.optional(),
  annotations: labels.optional(),
  ownerReferences: z
    .array(z.looseObject({ apiVersion: z.string(), kind: z.string(), name: z.string(), uid: z.string() }))
    .optional(),
  managedFields: z
    .array(
      z.strictObject({
        manager: z.string(),
        operation: z.literal('Update'),
        apiVersion: z.string(),
        time: z.string(),
        fieldsType: z.literal('FieldsV1'),
        fieldsV1: z.record(z.string(), z.unknown()),
        subresource: z.string().optional(),
      }),
    )
    .optional(),
});

const head = { apiVersion: z.string(), kind: z.string(), metadata };

const condition = z.looseObject({
  type: z.string(),
  status: z.string(),
  reason: z.string().optional(),
  message: z.string().optional(),
  lastUpdateTime: z.string().optional(),
  lastTransitionTime: z.string().optional(),
});

const podSpec = z.looseObject({
  nodeName: z.string().optional(),
  containers: z.array(z.looseObject({ name: z.string(), image: z.string() })).min(1),
});

const template = z.looseObject({
  metadata: z.looseObject({ labels, annotations: labels.optional() }),
  spec: podSpec,
});

const selector = z.looseObject({
  matchLabels: labels.refine((all) => Object.keys(all).length > 0, 'must name at least one label'),
});

interface Selecting {
  readonly spec: { readonly selector: z.infer<typeof selector>; readonly template: z.infer<typeof template> };
}

/** Whether what the selector asks for is what the template's pods will carry. */
function selectsItsPods({ spec }: Selecting): boolean {
  return Object.entries(spec.selector.matchLabels).every(
    ([name, value]) => spec.template.metadata.labels[name] === value,
  );
}

const selectsOwn = {
  path: ['spec', 'template', 'metadata', 'labels'],
  message: '`selector` does not match template `labels`',
};

const rolling = z.looseObject({ maxSurge: share.default('25%'), maxUnavailable: share.default('25%') });

const strategy = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('RollingUpdate'), rollingUpdate: rolling.prefault({}) }),
  z.looseObject({ type: z.literal('Recreate') }),
]);

const containerState = z.looseObject({
  waiting: z.looseObject({ reason: z.string() }).optional(),
  running: z.looseObject({ startedAt: z.string() }).optional(),
  terminated: z.looseObject({ exitCode: z.int() }).optional(),
});

const containerStatus = z.looseObject({
  name: z.string(),
  ready: z.boolean(),
  restartCount: count,
  state: containerState,
});

/**
 * The part of each kind that this server itself reads, with the defaults of the real one.
 * Everything else in an object is kept as it came.
 */
export const shapes = {
  namespaces: z.looseObject({ ...head, status: z.looseObject({ phase: z.string() }).optional() }),
  nodes: z.looseObject({
    ...head,
    spec: z.looseObject({ unschedulable: z.boolean().optional() }).default({}),
    status: z.looseObject({ conditions: z.array(condition).optional() }).optional(),
  }),
  pods: z.looseObject({
    ...head,
    spec: podSpec,
    status: z
      .looseObject({
        phase: z.string().default('Pending'),
        podIP: z.string().optional(),
        conditions: z.array(condition).optional(),
        containerStatuses: z.array(containerStatus).optional(),
      })
      .prefault({}),
  }),
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
        strategy: strategy.prefault({ type: 'RollingUpdate' }),
        revisionHistoryLimit: count.default(10),
        progressDeadlineSeconds: count.default(600),
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
    .refine(selectsItsPods, selectsOwn),
  replicasets: z
    .looseObject({
      ...head,
      spec: z.looseObject({ replicas: count.default(1), selector, template }),
      status: z
        .looseObject({
          replicas: count.optional(),
          readyReplicas: count.optional(),
          availableReplicas: count.optional(),
        })
        .default({}),
    })
    .refine(selectsItsPods, selectsOwn),
  horizontalpodautoscalers: z.looseObject({
    ...head,
    spec: z.looseObject({
      scaleTargetRef: z.looseObject({
        apiVersion: z.string().optional(),
        kind: z.string(),
        name: z.string(),
      }),
      minReplicas: count.default(1),
      maxReplicas: z.int().min(1),
    }),
    status: z.looseObject({ currentReplicas: count.optional() }).optional(),
  }),
} as const;

/** The plural name of a kind, as it stands in URLs. No two groups here share one. */
export type Plural = keyof typeof shapes;

/** What an object of each kind looks like to this server. */
export type Kinds = { readonly [P in Plural]: z.infer<(typeof shapes)[P]> };

export type Deployment = Kinds['deployments'];
export type ReplicaSet = Kinds['replicasets'];
export type Pod = Kinds['pods'];
export type Metadata = z.infer<typeof metadata>;
export type ManagedFields = NonNullable<Metadata['managedFields']>[number];
export type Condition = z.infer<typeof condition>;

/** Any object of the cluster. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly [field: string]: unknown;
}
