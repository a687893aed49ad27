import type { V1Deployment, V1ResourceQuota } from '@kubernetes/client-node';
import { Refused, TargetFailed } from '#operations';
import type { Cluster } from './_cluster.ts';

/**
 * Which quotas of its namespace leave no room for so many more pods of a deployment, a line each. None when they may not
 * be read: then the cluster says so when it makes the pods.
 */
export async function quotaLines(
  cluster: Cluster,
  deployment: V1Deployment,
  more: number,
): Promise<readonly string[]> {
  if (more <= 0) return [];
  try {
    const quotas = await cluster.quotas(deployment.metadata?.namespace ?? '');
    return quotas.flatMap((quota) => shortOf(quota, deployment, more));
  } catch (error) {
    if (error instanceof TargetFailed || error instanceof Refused) return [];
    throw error;
  }
}

function shortOf(
  { metadata, spec, status }: V1ResourceQuota,
  deployment: V1Deployment,
  more: number,
): string[] {
  // A quota with a scope counts only some pods, and the scope would have to be understood.
  if (spec?.scopes?.length || spec?.scopeSelector) return [];
  return Object.entries(status?.hard ?? {}).flatMap(([resource, hard]) => {
    const used = status?.used?.[resource] ?? '0';
    const each = perPod(resource, deployment);
    const fitting = Math.floor((amountOf(hard) - amountOf(used)) / each + ROUNDING);
    if (!(each > 0) || !(fitting < more)) return [];
    const limit = `${resource} 上限 ${hard}，已用 ${used}`;
    return [
      `注意：配额 ${metadata?.name}（${limit}）只够再加 ${Math.max(0, fitting)} 个 Pod，其余的建不出来`,
    ];
  });
}

/** So that three pods of 0.1 fit into 0.3. */
const ROUNDING = 1e-9;

/** How much of a resource of a quota one pod of the deployment takes; 0 of one that is not known. */
function perPod(resource: string, { spec }: V1Deployment): number {
  if (resource === 'pods' || resource === 'count/pods') return 1;
  const [, kind, name = ''] = /^(?:(requests|limits)\.)?(cpu|memory)$/.exec(resource) ?? [];
  const containers = spec?.template.spec?.containers ?? [];
  return containers.reduce((sum, { resources: { requests, limits } = {} }) => {
    // What asks for nothing but has a limit asks for its limit.
    const asked = kind === 'limits' ? limits?.[name] : (requests?.[name] ?? limits?.[name]);
    return sum + amountOf(asked ?? '0');
  }, 0);
}

const FACTORS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

/** The number that a quantity such as `500m`, `1.5Gi` or `2e3` is; NaN for any other text. */
function amountOf(quantity: string): number {
  const [, number, suffix = ''] = /^(\d+(?:\.\d*)?(?:[eE]\d+)?)([a-zA-Z]*)$/.exec(quantity) ?? [];
  return Number(number) * (FACTORS[suffix] ?? Number.NaN);
}
