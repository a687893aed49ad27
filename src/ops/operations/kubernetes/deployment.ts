import type { V1Deployment } from '@kubernetes/client-node';
import type { InputOf } from '../../../contract/index.ts';
import { Refused } from '../../../errors.ts';
import type { Context } from '../operation.ts';

/** A deployment's numbers of pods, and whether its controller has seen the latest change; the server leaves zeros out. */
export function rolloutOf({ metadata, spec, status }: V1Deployment) {
  return {
    wanted: spec?.replicas ?? 1,
    existing: status?.replicas ?? 0,
    updated: status?.updatedReplicas ?? 0,
    ready: status?.readyReplicas ?? 0,
    seen: (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0),
  };
}

/** Differs whenever the deployment does, and also when it was deleted and made again. */
export function versionOf({ metadata }: V1Deployment): string {
  return `${metadata?.uid}/${metadata?.resourceVersion}`;
}

/** The resourceVersion within a version. */
export function resourceVersionIn(version: string): string {
  return version.slice(version.indexOf('/') + 1);
}

/** The name under which an operation writes: the server keeps it beside every field that it changed. */
export function managerOf(operationId: string): string {
  return `keypad-${operationId}`;
}

/** Whether `manager` was the last to write `spec.replicas`. */
export function ownsReplicas({ metadata }: V1Deployment, manager: string): boolean {
  return (metadata?.managedFields ?? []).some((entry) => {
    const fields = entry.fieldsV1 as { readonly 'f:spec'?: { readonly 'f:replicas'?: unknown } } | undefined;
    return entry.manager === manager && fields?.['f:spec']?.['f:replicas'] !== undefined;
  });
}

/** The label selector of a deployment as a query. */
export function selectorOf({ spec }: V1Deployment): string {
  const { matchLabels = {}, matchExpressions = [] } = spec?.selector ?? {};
  const equal = Object.entries(matchLabels).map(([label, value]) => `${label}=${value}`);
  const others = matchExpressions.map(({ key, operator, values = [] }) => {
    if (operator === 'Exists') return key;
    if (operator === 'DoesNotExist') return `!${key}`;
    return `${key} ${operator.toLowerCase()} (${values.join(',')})`;
  });
  return [...equal, ...others].join(',');
}

/** The deployment that an input names, as it is now; undefined when it is not there. */
export async function findDeployment(
  { policy, targets }: Context,
  { unit, namespace, name }: InputOf<'k8s.restart'>,
): Promise<V1Deployment | undefined> {
  const { cluster } = targets.cluster(policy, unit, namespace);
  return cluster.deployment(namespace, name).catch((error: unknown) => {
    if (error instanceof Refused && error.reason === 'missing') return undefined;
    throw error;
  });
}
