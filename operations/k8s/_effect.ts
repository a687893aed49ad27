import type { V1Deployment } from '@kubernetes/client-node';
import { type ConfirmedChange, type Context, type Finding, Refused, TargetFailed } from '#operations';
import { type Cluster, clusterOf, type WriteAt } from './_cluster.ts';
import { type DeploymentName, findDeployment, rolloutOf, versionOf } from './_deployment.ts';

/** A confirmed change to a deployment. */
type Change = Pick<ConfirmedChange<DeploymentName>, 'id' | 'version' | 'input'>;

/** What one operation does to a deployment. */
export interface DeploymentEffect {
  /** Whether the deployment bears the mark that the effect leaves in it. */
  isIn(deployment: V1Deployment): boolean;
  write(to: WriteAt): Promise<void>;
}

/** How often a write is tried on a deployment whose status changes all the time. */
const TRIES = 5;

/**
 * Writes to the very deployment that was previewed. Where only its status has changed, it is read again and tried a few
 * times more. Throws Refused('moved') when it is another one, or is to be another one, than was previewed.
 */
export async function writeTo(
  cluster: Cluster,
  { id, version, input }: Change,
  { isIn, write }: DeploymentEffect,
  checkTime: () => void,
): Promise<void> {
  const { namespace, name } = input;
  for (let tries = 1; ; tries += 1) {
    const deployment = await cluster.deployment(namespace, name);
    // What stands in between may have sent the write a second time, and only the second was refused.
    if (isIn(deployment)) return;
    if (versionOf(deployment) !== version) throw new Refused('moved', `${name} 刚刚被改动过`);
    checkTime();
    try {
      return await write({ id, namespace, name, resourceVersion: resourceVersionOf(deployment) });
    } catch (error) {
      if (!hasMoved(error) || tries === TRIES) throw error;
    }
  }
}

/**
 * Finds out whether a write has had its effect. It answers `never` only once the deployment is fenced: a write that is
 * still on its way asks for an earlier resourceVersion, and is refused by the cluster whenever it arrives.
 */
export async function findEffect(
  context: Context,
  { id, version, input }: Change,
  isIn: DeploymentEffect['isIn'],
): Promise<Finding> {
  const { namespace, name } = input;
  const { cluster } = clusterOf(context, input.unit, namespace);
  for (let tries = 1; tries <= TRIES; tries += 1) {
    const deployment = await findDeployment(context, input);
    if (deployment === undefined) return { effect: 'unknown', text: '部署已不存在' };
    if (isIn(deployment)) return { effect: 'applied' };
    if (versionOf(deployment) !== version) {
      const { wanted } = rolloutOf(deployment);
      return { effect: 'unknown', text: `部署在这期间被改动过，现在的副本数是 ${wanted}` };
    }
    try {
      await cluster.fence({ id, namespace, name, resourceVersion: resourceVersionOf(deployment) });
      return { effect: 'never' };
    } catch (error) {
      if (!hasMoved(error)) throw error;
    }
  }
  throw new TargetFailed('部署的状态一直在变', { mayHaveHappened: true });
}

function hasMoved(error: unknown): boolean {
  return error instanceof Refused && error.reason === 'moved';
}

function resourceVersionOf({ metadata }: V1Deployment): string {
  return metadata?.resourceVersion ?? '';
}
