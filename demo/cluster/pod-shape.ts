import * as z from 'zod';
import { condition, labels } from './metadata-shape.ts';

/** What runs in a pod. */
export const podSpec = z.looseObject({
  nodeName: z.string().optional(),
  containers: z.array(z.looseObject({ name: z.string(), image: z.string() })).min(1),
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
          terminated: z.looseObject({ exitCode: z.int() }).optional(),
        }),
      }),
    )
    .optional(),
});

/** Pods to come. */
export const template = z.looseObject({
  metadata: z.looseObject({ labels, annotations: labels.optional() }),
  spec: podSpec,
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
