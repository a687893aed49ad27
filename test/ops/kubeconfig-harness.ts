import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { AppsV1Api } from '@kubernetes/client-node';
import { parse, stringify } from 'yaml';
import { startCluster } from '../../demo/cluster/cluster.ts';
import { demoSeed } from '../../demo/cluster/seed.ts';
import { type ConnectionsParts, openConnections } from '../../src/ops/kubeconfig/connections.ts';
import { type Cluster, openCluster } from '../../src/ops/targets/cluster.ts';
import { movableClock } from './ops-harness.ts';

const TOKEN = 'the-token-of-the-demo';

/** A cluster that takes the tokens in `accepted`, and files beside it. */
export async function openKubeconfigs() {
  const directory = mkdtempSync(join(tmpdir(), 'keypad-kubeconfig-'));
  const cluster = await startCluster({ port: 0, token: TOKEN, seed: demoSeed, tick: 60_000 });
  const accepted = new Set<string>();
  const shown: string[] = [];
  const [handle] = cluster.app.server.listeners('request');
  cluster.app.server.removeAllListeners('request').on('request', (request, response) => {
    const token = request.headers.authorization?.replace('Bearer ', '') ?? '';
    shown.push(token);
    request.headers.authorization = `Bearer ${accepted.has(token) ? TOKEN : 'none'}`;
    handle?.(request, response);
  });
  const demo = parse(cluster.kubeconfig).clusters[0].cluster as Record<string, unknown>;
  const open: { close(): Promise<void> }[] = [];
  const at = (name: string): string => join(directory, name);
  const write = (name: string, text: string, mode = 0o600): string => {
    mkdirSync(dirname(at(name)), { recursive: true });
    writeFileSync(at(name), text, { mode });
    return at(name);
  };
  return {
    accepted,
    /** The tokens of all requests so far, in order. */
    shown,
    at,
    write,
    /** Writes a program for `/bin/sh`; every run adds a line to `<name>.runs`. */
    program: (name: string, script: string): string =>
      write(name, `#!/bin/sh\necho "$$" >> "$0.runs"\n${script}\n`, 0o700),
    /** The process ids of the runs of a program. */
    runs(name: string): readonly number[] {
      try {
        return readFileSync(at(`${name}.runs`), 'utf8')
          .trim()
          .split('\n')
          .map(Number);
      } catch {
        return [];
      }
    },
    /** A kubeconfig in which each name stands for a context, a user, and this cluster with these changes. */
    text(users: Readonly<Record<string, unknown>>, changes: object = {}): string {
      const names = Object.keys(users);
      return stringify({
        clusters: [{ name: 'here', cluster: { ...demo, ...changes } }],
        users: names.map((name) => ({ name, user: users[name] })),
        contexts: names.map((name) => ({ name, context: { cluster: 'here', user: name } })),
      });
    },
    /** Opens the connections; `lists` asks the cluster of a context for something, and answers how it went. */
    async open(kubeconfig: string, parts: Partial<ConnectionsParts> = {}) {
      const clock = movableClock();
      const refused: string[] = [];
      const failures: Error[] = [];
      let accepts = 0;
      const connections = await openConnections({
        kubeconfig,
        environment: { PATH: process.env.PATH },
        clock,
        inUse: () => ['demo'],
        events: {
          accepted() {
            accepts += 1;
          },
          refused: (problems) => void refused.push(...problems),
          onError: (error) => void refused.push(String(error)),
        },
        ...parts,
      });
      open.push(connections);
      return {
        connections,
        clock,
        refused,
        accepts: () => accepts,
        /** What goes into the log for each failure: what is said, and why. */
        causes: () => failures.map(({ message, cause }) => `${message}: ${(cause as Error).message}`),
        lists: (name = 'demo'): Promise<string> =>
          listedIn(
            openCluster({ name, connections, onFailure: (error) => void failures.push(error) })(['shop']),
          ).then(
            (found) => (found.length > 0 ? 'listed' : 'nothing'),
            (error: Error) => error.message,
          ),
      };
    },
    async stop(): Promise<void> {
      await Promise.all(open.map((each) => each.close()));
      await cluster.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The deployments of the namespace `shop`. */
function listedIn({ api, listed }: Cluster) {
  return listed('shop', 'DeploymentList', api(AppsV1Api).listNamespacedDeployment({ namespace: 'shop' }));
}
