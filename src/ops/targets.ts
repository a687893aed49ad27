import { Refused } from '../errors.ts';
import { type MysqlServer, openMysqlServer } from './database.ts';
import type { Connections } from './kubeconfig/connections.ts';
import { forLog } from './operations/foreign-text.ts';
import { type Cluster, openCluster } from './operations/kubernetes/cluster.ts';
import type { Policy } from './policy/policy.ts';

/** The only way to a cluster or a database server: through a unit of the policy. */
export type Targets = ReturnType<typeof openTargets>;

export interface TargetParts {
  readonly connections: Connections;
  /** Addresses of MySQL servers by the names of the instances. */
  readonly mysqlUrls: Readonly<Record<string, string>>;
  /** Hears why a cluster or a MySQL instance did not do what it was asked, without secrets; for the log. */
  onFailure(what: 'cluster' | 'instance', name: string, error: Error): void;
}

/** Opens what the kubeconfig and the list of MySQL addresses name; closes both. */
export function openTargets({ connections, mysqlUrls, onFailure }: TargetParts) {
  const clusters = new Map<string, Cluster>();
  const clusterAt = (name: string): Cluster => {
    const cluster =
      clusters.get(name) ??
      openCluster({ name, connections, onFailure: (error) => onFailure('cluster', name, forLog(error)) });
    clusters.set(name, cluster);
    return cluster;
  };
  const servers = new Map(
    Object.entries(mysqlUrls).map(([name, url]) => [
      name,
      openMysqlServer({ name, url, onFailure: (error) => onFailure('instance', name, forLog(error)) }),
    ]),
  );
  return {
    names: { contextProblem: connections.problemOf, instances: [...servers.keys()] },
    /** What a unit reaches in Kubernetes. Throws Refused('policy') when `namespace` is given and is not one of the unit's. */
    cluster(policy: Policy, unit: string, namespace?: string) {
      const found = policy.unit(unit);
      const reach = found?.kubernetes;
      if (!reach || (namespace !== undefined && !reach.namespaces.includes(namespace))) {
        throw new Refused('policy', `「${unit}」够不到命名空间 ${namespace ?? ''}`.trimEnd());
      }
      const { environment, limits } = found;
      return { cluster: clusterAt(reach.context), namespaces: reach.namespaces, environment, limits };
    },
    /** Throws Refused('policy') when the instance is not one of the unit's. */
    mysql(policy: Policy, unit: string, instance: string): MysqlServer {
      const server = policy.unit(unit)?.mysql.includes(instance) ? servers.get(instance) : undefined;
      if (server === undefined) throw new Refused('policy', `「${unit}」够不到数据库 ${instance}`);
      return server;
    },
    async close(): Promise<void> {
      await Promise.all([connections, ...servers.values()].map((each) => each.close()));
    },
  };
}
