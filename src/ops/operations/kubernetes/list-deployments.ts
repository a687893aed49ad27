import { deployment as form } from '../../../contract/kubernetes.ts';
import { listOf } from '../listing.ts';
import type { ReadOperation } from '../operation.ts';
import { rolloutOf } from './deployment.ts';

/** Lists the deployments of a unit's namespaces by name. */
export const listDeployments: ReadOperation<'k8s.deployments.list'> = async (
  { policy, targets },
  { unit },
) => {
  const { cluster, namespaces } = targets.cluster(policy, unit);
  const deployments = await listOf({
    places: namespaces,
    nameOf: (namespace) => `命名空间 ${namespace}`,
    read: cluster.deployments,
    form,
    rowOf: (deployment, namespace) => {
      const { name = '' } = deployment.metadata ?? {};
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
    },
  });
  return deployments.sort((a, b) => (a.key < b.key ? -1 : 1));
};
