import type { ReadOperation } from '../operation.ts';
import { rolloutOf } from './deployment.ts';

/** Lists the deployments of a unit's namespaces by name. */
export const listDeployments: ReadOperation<'k8s.deployments.list'> = async (
  { policy, targets },
  { unit },
) => {
  const { cluster, namespaces } = targets.cluster(policy, unit);
  const lists = await Promise.all(namespaces.map((namespace) => cluster.deployments(namespace)));
  const deployments = lists.flat().map((deployment) => {
    const { name = '', namespace = '' } = deployment.metadata ?? {};
    const { wanted, ready } = rolloutOf(deployment);
    const shown = namespaces.length > 1 ? `${namespace}/${name}` : name;
    return {
      key: `${namespace}/${name}`,
      label: `${shown}  ${ready}/${wanted} 就绪`,
      namespace,
      name,
      replicas: wanted,
      ready,
      image: deployment.spec?.template.spec?.containers[0]?.image ?? '',
    };
  });
  return deployments.sort((a, b) => (a.key < b.key ? -1 : 1));
};
