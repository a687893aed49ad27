import { Refused } from '../errors.ts';
import { type MysqlServer, openMysqlServer } from './database.ts';
import { type Cluster, type Clusters, openClusters } from './operations/kubernetes/cluster.ts';
import type { TargetNames, Unit } from './policy/document.ts';
import type { Policy } from './policy/policy.ts';

/** What a unit reaches in Kubernetes. */
export interface ReachedCluster {
  readonly cluster: Cluster;
  readonly namespaces: readonly string[];
  readonly environment: Unit['environment'];
  readonly limits: Unit['limits'];
}

/** The only way to a cluster or a database server: through a unit of the policy. */
export interface Targets {
  /** Throws Refused('policy') when `namespace` is given and is not one of the unit's. */
  cluster(policy: Policy, unit: string, namespace?: string): ReachedCluster;
  /** Throws Refused('policy') when the instance is not one of the unit's. */
  mysql(policy: Policy, unit: string, instance: string): MysqlServer;
  close(): Promise<void>;
}

/** Opens what the kubeconfig file and the list of MySQL addresses name. Throws a ConfigError for a bad kubeconfig. */
export function openTargets(
  kubeconfig: string,
  mysqlUrls: Readonly<Record<string, string>>,
): Targets & { readonly names: TargetNames } {
  const clusters: Clusters = openClusters(kubeconfig);
  const servers = new Map(Object.entries(mysqlUrls).map(([name, url]) => [name, openMysqlServer(url)]));
  return {
    names: { contexts: clusters.contexts, instances: [...servers.keys()] },
    cluster(policy, unit, namespace) {
      const found = policy.unit(unit);
      const reach = found?.kubernetes;
      const cluster = reach && clusters.of(reach.context);
      if (!cluster || (namespace !== undefined && !reach.namespaces.includes(namespace))) {
        throw new Refused('policy', `「${unit}」够不到命名空间 ${namespace ?? ''}`.trimEnd());
      }
      const { environment, limits } = found;
      return { cluster, namespaces: reach.namespaces, environment, limits };
    },
    mysql(policy, unit, instance) {
      const server = policy.unit(unit)?.mysql.includes(instance) ? servers.get(instance) : undefined;
      if (server === undefined) throw new Refused('policy', `「${unit}」够不到数据库 ${instance}`);
      return server;
    },
    async close() {
      await Promise.all([...servers.values()].map((server) => server.close()));
    },
  };
}
