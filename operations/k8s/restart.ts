import type { V1Deployment } from '@kubernetes/client-node';
import * as z from 'zod';
import { change, InputError } from '#operations';
import { clusterOf, deploymentInput, type WriteAt } from './_cluster.ts';
import { findDeployment, obstaclesOf, rolloutOf, versionOf } from './_deployment.ts';
import { findEffect, writeTo } from './_effect.ts';

const RESTARTED_AT = 'kubectl.kubernetes.io/restartedAt';
const OPERATION = 'keypad/operation';

/** Replaces a deployment's pods one after another, as `kubectl rollout restart` does. */
export default change({
  title: '重启部署',
  input: z.strictObject(deploymentInput),

  async inspect(context, { unit, namespace, name }) {
    const { cluster, environment } = clusterOf(context, unit, namespace);
    const deployment = await cluster.deployment(namespace, name);
    const { wanted, ready } = rolloutOf(deployment);
    if (wanted === 0) throw new InputError(`${name} 的副本数是 0，没有可重启的 Pod`);
    if (deployment.spec?.paused) {
      throw new InputError(`${name} 的发布被暂停了（paused），重启不会更新任何 Pod；请先恢复发布，再重启`);
    }
    return {
      target: `${namespace}/${name}`,
      lines: [
        `${unit} · ${namespace}/${name}`,
        `滚动重启 ${wanted} 个 Pod`,
        `当前就绪 ${ready}/${wanted}`,
        ...obstaclesOf(deployment).map((obstacle) => `注意：${obstacle}`),
      ],
      risk: environment === 'test' ? 'low' : 'high',
      before: { restartedAt: annotationsOf(deployment)[RESTARTED_AT] ?? null },
      after: { restarted: wanted },
      version: versionOf(deployment),
    };
  },

  async apply(context, change, checkTime) {
    const { unit, namespace } = change.input;
    const { cluster } = clusterOf(context, unit, namespace);
    const annotations = { [RESTARTED_AT]: new Date(context.now).toISOString(), [OPERATION]: change.id };
    const write = (to: WriteAt) => cluster.patchDeployment(to, { template: { metadata: { annotations } } });
    await writeTo(cluster, change, { isIn: isRestartedBy(change.id), write }, checkTime);
  },

  submitted: ({ input: { name } }) => `已提交：${name} 滚动重启，等待就绪，完成后会告诉你`,

  async observe(context, { id, input }) {
    const { name } = input;
    const deployment = await findDeployment(context, input);
    if (deployment === undefined) return { final: true, text: `${name}：重启已提交，但之后部署被删除了` };
    if (!isRestartedBy(id)(deployment)) {
      return { final: true, text: `${name}：重启已提交，但之后部署又被改动了` };
    }
    const { wanted, existing, updated, ready, seen } = rolloutOf(deployment);
    if (wanted === 0) return { final: true, text: `${name}：重启已提交，但之后副本数被改为 0` };
    const final = seen && updated === wanted && existing === wanted && ready === wanted;
    if (final) return { final, text: `${name}：已重启，${ready} 个就绪` };
    const renewed = seen ? updated : 0;
    const stands = `重启还没有完成（已更新 ${renewed}/${wanted}，就绪 ${ready}）`;
    const paused = deployment.spec?.paused ? ['发布被暂停了（paused），Pod 不会更新'] : [];
    return { final, text: [`${name}：${stands}`, ...paused, ...obstaclesOf(deployment)].join('；') };
  },

  reconcile: (context, change) => findEffect(context, change, isRestartedBy(change.id)),
});

function isRestartedBy(id: string) {
  return (deployment: V1Deployment): boolean => annotationsOf(deployment)[OPERATION] === id;
}

function annotationsOf({ spec }: V1Deployment): Readonly<Record<string, string>> {
  return spec?.template.metadata?.annotations ?? {};
}
