import { Refused } from '../errors.ts';
import { type MysqlServer, openMysqlServer } from './database.ts';
import { openClusters } from './operations/kubernetes/cluster.ts';
import type { Policy } from './policy/policy.ts';

/** The only way to a cluster or a database server: through a unit of the policy. */
export type Targets = ReturnType<typeof openTargets>;

/** Opens what the kubeconfig file and the list of MySQL addresses name. Throws a ConfigError for a bad kubeconfig. */
export function openTargets(kubeconfig: string, mysqlUrls: Readonly<Record<string, string>>) {
  const clusters = openClusters(kubeconfig);
  const servers = new Map(Object.entries(mysqlUrls).map(([name, url]) => [name, openMysqlServer(url)]));
  return {
    names: { contexts: [...clusters.keys()], instances: [...servers.keys()] },
    /** What a unit reaches in Kubernetes. Throws Refused('policy') when `namespace` is given and is not one of the unit's. */
    cluster(policy: Policy, unit: string, namespace?: string) {
      const found = policy.unit(unit);
      const reach = found?.kubernetes;
      const cluster = reach && clusters.get(reach.context);
      if (!cluster || (namespace !== undefined && !reach.namespaces.includes(namespace))) {
        throw new Refused('policy', `「${unit}」够不到命名空间 ${namespace ?? ''}`.trimEnd());
      }
      const { environment, limits } = found;
      return { cluster, namespaces: reach.namespaces, environment, limits };
    },
    /** Throws Refused('policy') when the instance is not one of the unit's. */
    mysql(policy: Policy, unit: string, instance: string): MysqlServer {
      const server = policy.unit(unit)?.mysql.includes(instance) ? servers.get(instance) : undefined;
      if (server === undefined) throw new Refused('policy', `「${unit}」够不到数据库 ${instance}`);
      return server;
    },
    async close(): Promise<void> {
      await Promise.all([...servers.values()].map((server) => server.close()));
    },
  };
}
