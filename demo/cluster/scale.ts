import { badRequest, invalid } from './failure.ts';
import { isRecord } from './json.ts';
import { requireKind } from './object-kind.ts';
import { type Resource, resourceOf } from './resources.ts';
import type { Deployment, ReplicaSet } from './shapes.ts';

/** An object that has a `scale` subresource. */
export type Scalable = Deployment | ReplicaSet;

/** The `autoscaling/v1` Scale of an object. A count of zero is left out of `spec`, as the real server leaves it out. */
export function scaleOf({ metadata, spec, status }: Scalable): Readonly<Record<string, unknown>> {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  const labels = Object.entries(spec.selector.matchLabels);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: spec.replicas === 0 ? {} : { replicas: spec.replicas },
    status: { replicas: status.replicas ?? 0, selector: labels.map((pair) => pair.join('=')).join(',') },
  };
}

/**
 * The object as a Scale asks for it: only the count and the version to hold it against come from there.
 * A Scale without a count asks for none, because zero is left out. Throws 422.
 */
export function withScale(object: Scalable, scale: unknown): Readonly<Record<string, unknown>> {
  if (!isRecord(scale)) throw badRequest('the object provided is not a Scale');
  requireKind(scaleResource, scale);
  const spec = isRecord(scale.spec) ? scale.spec : {};
  const metadata = isRecord(scale.metadata) ? scale.metadata : {};
  const replicas = spec.replicas ?? 0;
  if (!Number.isInteger(replicas) || (replicas as number) < 0 || (replicas as number) > 2 ** 31 - 1) {
    const message = `Invalid value: ${JSON.stringify(replicas)}: must be an integer greater than or equal to 0`;
    const cause = { field: 'spec.replicas', message, reason: 'FieldValueInvalid' };
    throw invalid(scaleResource, object.metadata.name, [cause]);
  }
  const resourceVersion = metadata.resourceVersion ?? object.metadata.resourceVersion;
  return {
    ...object,
    metadata: { ...object.metadata, resourceVersion },
    spec: { ...object.spec, replicas },
  };
}

/** Scale as messages name it; it has a group of its own. */
const scaleResource: Resource = {
  ...resourceOf('deployments'),
  group: 'autoscaling',
  version: 'v1',
  kind: 'Scale',
};
