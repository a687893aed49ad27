import * as z from 'zod';
import { annotations, condition, labels } from './metadata-shape.ts';

const container = z.looseObject({
  name: z.string(),
  image: z.string(),
  command: z.array(z.string()).optional(),
  args: z.array(z.string()).optional(),
  env: z.array(z.looseObject({ name: z.string(), value: z.string().optional() })).optional(),
});

/** What runs in a pod. */
export const podSpec = z.looseObject({
  nodeName: z.string().optional(),
  containers: z.array(container).min(1),
  restartPolicy: z.enum(['Always', 'Never'], 'this cluster only knows "Always" and "Never"').optional(),
});

/** What became of it; a pod begins as `Pending`. */
export const podStatus = z.looseObject({
  phase: z.string().default('Pending'),
  podIP: z.string().optional(),
  conditions: z.array(condition).optional(),
  containerStatuses: z
    .array(
      z.looseObject({
        name: z.string(),
        ready: z.boolean(),
        restartCount: z.int().min(0),
        state: z.looseObject({
          waiting: z.looseObject({ reason: z.string() }).optional(),
          running: z.looseObject({ startedAt: z.string() }).optional(),
          terminated: z
            .looseObject({
              exitCode: z.int(),
              reason: z.string(),
              startedAt: z.string(),
              finishedAt: z.string(),
            })
            .optional(),
        }),
      }),
    )
    .optional(),
});

/** Pods to come, of which there are always as many. */
export const template = z.looseObject({
  metadata: z.looseObject({ labels, annotations: annotations.optional() }),
  spec: podSpec.extend({
    restartPolicy: z.literal('Always', 'Unsupported value: supported values: "Always"').optional(),
  }),
});

/** Which pods are meant; expressions are refused rather than overlooked. */
export const selector = z.looseObject({
  matchLabels: labels.refine((all) => Object.keys(all).length > 0, 'must name at least one label'),
  matchExpressions: z.never('this cluster only knows matchLabels').optional(),
});

interface Selecting {
  readonly spec: { readonly selector: z.infer<typeof selector>; readonly template: z.infer<typeof template> };
}

/** Whether the selector means the pods of the template. */
export function selectsItsPods({ spec }: Selecting): boolean {
  const { labels: carried } = spec.template.metadata;
  return Object.entries(spec.selector.matchLabels).every(([name, value]) => carried[name] === value);
}

/** What to say when it does not. */
export const selectorMismatch = {
  path: ['spec', 'template', 'metadata', 'labels'],
  message: '`selector` does not match template `labels`',
};
