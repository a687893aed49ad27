import * as z from 'zod';
import { change, InputError, MOST_REPLICAS, Refused, type Risk, TargetFailed } from '#operations';
import { type Cluster, clusterOf, deploymentInput, type WriteAt } from './_cluster.ts';
import { findDeployment, isManagedBy, obstaclesOf, rolloutOf, versionOf } from './_deployment.ts';
import { findEffect, writeTo } from './_effect.ts';
import { quotaLines } from './_quota.ts';

/** A preview has room for so many. */
const QUOTAS_SHOWN = 8;

/** Sets the number of a deployment's pods through its `scale` subresource. */
export default change({
  title: '扩缩容',
  input: z.strictObject({ ...deploymentInput, replicas: z.int().min(0).max(MOST_REPLICAS) }),

  async inspect(context, { unit, namespace, name, replicas }) {
    const { cluster, limits } = clusterOf(context, unit, namespace);
    const [deployment, autoscaler] = await Promise.all([
      cluster.deployment(namespace, name),
      autoscalerLine(cluster, namespace, name),
    ]);
    const { wanted, ready } = rolloutOf(deployment);
    if (wanted === replicas) throw new InputError(`${name} 的副本数已经是 ${replicas}，不用改`);
    checkCeiling(unit, limits, wanted, replicas);
    const quotas = await quotaLines(cluster, deployment, replicas - wanted);
    return {
      target: `${namespace}/${name}`,
      lines: [
        `${unit} · ${namespace}/${name}`,
        `副本 ${wanted} → ${replicas}`,
        `当前就绪 ${ready}/${wanted}`,
        ...autoscaler,
        ...quotas.slice(0, QUOTAS_SHOWN),
        ...(replicas > wanted ? obstaclesOf(deployment).map((obstacle) => `注意：${obstacle}`) : []),
      ],
      risk: scaleRisk(wanted, replicas),
      before: { replicas: wanted },
      after: { replicas },
      version: versionOf(deployment),
    };
  },

  async apply(context, change, checkTime) {
    const { unit, namespace, replicas } = change.input;
    const { cluster, limits } = clusterOf(context, unit, namespace);
    // The policy may have become stricter since the preview.
    checkCeiling(unit, limits, replicasIn(change.before), replicas);
    const write = (to: WriteAt) => cluster.patchScale(to, { replicas });
    await writeTo(cluster, change, { isIn: isManagedBy(change.id, 'replicas'), write }, checkTime);
  },

  submitted: ({ before, input: { name, replicas } }) =>
    `已提交：${name} 副本 ${replicasIn(before)} → ${replicas}，等待就绪，完成后会告诉你`,

  async observe(context, { before, input }) {
    const { name, replicas } = input;
    const change = `${name}：${replicasIn(before)} → ${replicas}`;
    const deployment = await findDeployment(context, input);
    if (deployment === undefined) return { final: true, text: `${change} 已生效，但之后部署被删除了` };
    const { wanted, existing, ready, seen } = rolloutOf(deployment);
    if (wanted !== replicas) return { final: true, text: `${change} 已生效，但之后副本数被改为 ${wanted}` };
    if (!seen || existing !== replicas || ready !== replicas) {
      const isShrinking = ready > replicas || existing > replicas;
      const pods = isShrinking ? `还有 ${existing} 个在运行` : `只有 ${ready} 个就绪`;
      const obstacles = isShrinking ? [] : obstaclesOf(deployment);
      const how = obstacles.length > 0 ? '已提交' : '已生效';
      return { final: false, text: [`${change} ${how}，但${pods}`, ...obstacles].join('；') };
    }
    return { final: true, text: replicas === 0 ? `${change}，已全部停止` : `${change}，${ready} 个就绪` };
  },

  reconcile: (context, change) => findEffect(context, change, isManagedBy(change.id, 'replicas')),
});

/** Scaling to 0, or by more than half of what runs now, is `high`; so is starting from nothing. */
function scaleRisk(before: number, after: number): Risk {
  return after === 0 || before === 0 || Math.abs(after - before) / before > 0.5 ? 'high' : 'low';
}

/** The policy says how many pods a deployment of the unit may be given. Fewer than there are now may always be asked for. */
function checkCeiling(
  unit: string,
  limits: { readonly replicas: number },
  before: number,
  after: number,
): void {
  if (after <= limits.replicas || after <= before) return;
  throw new Refused('policy', `「${unit}」的部署最多 ${limits.replicas} 个副本，要更多请联系运维负责人`);
}

/** Whoever scales by hand under an autoscaler must know that it may take the change back. */
async function autoscalerLine(cluster: Cluster, namespace: string, name: string): Promise<readonly string[]> {
  try {
    const autoscalers = await cluster.autoscalers(namespace);
    const found = autoscalers.find(({ spec }) => {
      return spec?.scaleTargetRef.kind === 'Deployment' && spec.scaleTargetRef.name === name;
    });
    if (found === undefined) return [];
    const { minReplicas = 1, maxReplicas } = found.spec ?? {};
    return [
      `注意：副本数由 HPA ${found.metadata?.name} 控制（${minReplicas}–${maxReplicas}），改动可能被它改回`,
    ];
  } catch (error) {
    if (!(error instanceof TargetFailed || error instanceof Refused)) throw error;
    return ['注意：读不到 HPA，不知道副本数是否由它控制'];
  }
}

function replicasIn(before: unknown): number {
  return (before as { readonly replicas: number }).replicas;
}
