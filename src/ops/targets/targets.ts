import { Refused } from '../../errors.ts';
import { createHttpClient } from '../../server/http-client.ts';
import { forLog } from '../foreign-text.ts';
import type { Connections } from '../kubeconfig/connections.ts';
import type { Unit } from '../policy/document.ts';
import type { Policy } from '../policy/policy.ts';
import { openCluster } from './cluster.ts';
import { type MysqlServer, openMysqlServer } from './mysql-server.ts';
import { openService, type Service } from './service.ts';

/** The only way to a cluster, a database server or a service: through a unit of the policy. */
export type Targets = ReturnType<typeof openTargets>;

/** What one unit reaches. Asked for anything else, all of it throws Refused('policy'). */
export type Reach = ReturnType<typeof reachIn>;

export interface TargetParts {
  readonly connections: Connections;
  /** Addresses of MySQL servers by the names of the instances. */
  readonly mysqlUrls: Readonly<Record<string, string>>;
  /** Hears why one of these did not do what it was asked, without secrets; for the log. */
  onFailure(what: 'cluster' | 'instance' | 'service', name: string, error: Error): void;
}

/** Opens what the kubeconfig and the list of MySQL addresses name; closes both. */
export function openTargets({ connections, mysqlUrls, onFailure }: TargetParts) {
  const clusters = new Map<string, ReturnType<typeof openCluster>>();
  const clusterAt = (name: string) => {
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
  /** One for each authority that is believed: connections to a service are kept open whatever unit asks. */
  const clients = new Map<string | undefined, ReturnType<typeof createHttpClient>>();
  const clientFor = (ca: string | undefined) => {
    const client = clients.get(ca) ?? createHttpClient({ tls: { ca } });
    clients.set(ca, client);
    return client;
  };
  return {
    names: { contextProblem: connections.problemOf, instances: [...servers.keys()] },
    /** What is handed to an operation in `unit`, whatever units the user has rights in. */
    reachOf: (policy: Policy, unit: string) =>
      reachIn(policy, unit, {
        cluster: clusterAt,
        mysql: (instance) => servers.get(instance),
        http: (name, { url, ca }) =>
          openService({
            name,
            url,
            client: clientFor(ca),
            onFailure: (error) => onFailure('service', name, forLog(error)),
          }),
      }),
    async close(): Promise<void> {
      await Promise.all([connections, ...servers.values(), ...clients.values()].map((each) => each.close()));
    },
  };
}

/** What is open, whoever may reach it. */
export interface OpenTargets {
  cluster(context: string): ReturnType<typeof openCluster>;
  mysql(instance: string): MysqlServer | undefined;
  http(name: string, at: Unit['services'][string]): Service;
}

/** What of it one unit reaches, as the policy says. */
export function reachIn(policy: Policy, unit: string, open: OpenTargets) {
  const within = (asked: string) => (asked === unit ? policy.unit(unit) : undefined);
  return {
    /** Throws also when `namespace` is given and is not one of the unit's. */
    cluster(asked: string, namespace?: string) {
      const found = within(asked);
      const reach = found?.kubernetes;
      if (!reach || (namespace !== undefined && !reach.namespaces.includes(namespace))) {
        throw new Refused('policy', `「${asked}」够不到命名空间 ${namespace ?? ''}`.trimEnd());
      }
      const { environment, limits } = found;
      const { context, namespaces } = reach;
      return { cluster: open.cluster(context)(namespaces), namespaces, environment, limits };
    },
    /** The names of the MySQL instances. */
    instances: (asked: string): readonly string[] => within(asked)?.mysql ?? [],
    mysql(asked: string, instance: string): MysqlServer {
      const server = within(asked)?.mysql.includes(instance) ? open.mysql(instance) : undefined;
      if (server === undefined) throw new Refused('policy', `「${asked}」够不到数据库 ${instance}`);
      return server;
    },
    /** A service of the unit; throws also when it has none of that name. */
    http(asked: string, name: string): Service {
      const services = within(asked)?.services ?? {};
      const at = Object.hasOwn(services, name) ? services[name] : undefined;
      if (at === undefined) throw new Refused('policy', `「${asked}」够不到服务 ${name}`);
      return open.http(name, at);
    },
  };
}
