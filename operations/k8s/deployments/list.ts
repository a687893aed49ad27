import * as z from 'zod';
import { kubernetesName, listOf, read, unit } from '#operations';
import { clusterOf } from '../_cluster.ts';
import { rolloutOf } from '../_deployment.ts';

/** What a phone needs to know of a deployment. `key` is `namespace/name`; counts are pods. */
const form = z.object({
  key: z.string(),
  label: z.string(),
  namespace: kubernetesName,
  name: kubernetesName,
  replicas: z.int(),
  ready: z.int(),
  image: z.string(),
});

/** Lists the deployments of a unit's namespaces by name. */
export default read({
  title: '查看部署',
  input: z.strictObject({ unit }),
  output: z.array(form),
  async run(context, { unit }) {
    const { cluster, namespaces } = clusterOf(context, unit);
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
  },
});
