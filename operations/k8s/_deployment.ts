import type { V1Deployment } from '@kubernetes/client-node';
import { type Context, hideAssigned, Refused } from '#operations';
import { clusterOf, managerOf } from './_cluster.ts';

/** How an input names a deployment. */
export interface DeploymentName {
  readonly unit: string;
  readonly namespace: string;
  readonly name: string;
}

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

/** What of a message the cluster says is shown. */
const SHOWN_LENGTH = 160;

/** What it means that a condition has that value. */
const OBSTACLES: Readonly<Record<string, string>> = {
  'ReplicaFailure=True': '集群建不出新的 Pod',
  'Progressing=False': '发布卡住了',
};

/** Why a deployment gets no further, as far as its cluster says so; empty where nothing is known to be in the way. */
export function obstaclesOf({ status }: V1Deployment): readonly string[] {
  return (status?.conditions ?? []).flatMap(({ type, status: value, reason, message }) => {
    const meaning = OBSTACLES[`${type}=${value}`];
    if (meaning === undefined) return [];
    const said = [...hideAssigned(`${reason}：${message}`)].slice(0, SHOWN_LENGTH).join('');
    return [`${meaning}（${said}）`];
  });
}

/**
 * Differs whenever what is asked of the deployment does, and when it was deleted and made again. Its status may change,
 * as that of a deployment in trouble does all the time: then it is still the same.
 */
export function versionOf({ metadata, spec }: V1Deployment): string {
  return `${metadata?.uid}/${metadata?.generation}/${spec?.replicas}`;
}

/** Whether an operation was the last to write that field of the spec. */
export function isManagedBy(operationId: string, field: string) {
  return ({ metadata }: V1Deployment): boolean =>
    (metadata?.managedFields ?? []).some((entry) => {
      const { 'f:spec': spec = {} } = (entry.fieldsV1 ?? {}) as { readonly 'f:spec'?: object };
      return entry.manager === managerOf(operationId) && `f:${field}` in spec;
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
  context: Context,
  { unit, namespace, name }: DeploymentName,
): Promise<V1Deployment | undefined> {
  const { cluster } = clusterOf(context, unit, namespace);
  return cluster.deployment(namespace, name).catch((error: unknown) => {
    if (error instanceof Refused && error.reason === 'missing') return undefined;
    throw error;
  });
}
