import type { FastifyInstance } from 'fastify';
import { createCertificate } from './certificate.ts';
import type { Speech } from './container-log.ts';
import { createControllers } from './controllers.ts';
import { kubeconfigFor } from './kubeconfig.ts';
import { createRecorder } from './recorder.ts';
import { createRegistry } from './registry.ts';
import { createServer } from './server.ts';
import type { Kinds, Plural } from './shapes.ts';
import { createStore } from './store.ts';

/** What a cluster begins with. */
export interface Seed {
  /** Objects in the order they came to be, each with its age in seconds. */
  readonly objects: readonly { readonly plural: Plural; readonly age: number; readonly object: unknown }[];
  /** Images that no registry has: their pods end in ImagePullBackOff. */
  readonly absentImages: readonly string[];
  /** What the pods of an application write into their logs. */
  readonly speech: Speech;
}

/** Settings of a cluster. */
export interface ClusterOptions {
  /** The bearer token without which nothing is answered. */
  readonly token: string;
  readonly seed: Seed;
  /** Milliseconds between two steps of a pod's life; three steps make it ready. 400 when not given. */
  readonly tick?: number;
  readonly now?: () => Date;
}

/** Direct access to the objects of a cluster, past its API: for tests and for the demo itself. */
export interface Hand {
  get<P extends Plural>(plural: P, namespace: string | undefined, name: string): Kinds[P] | undefined;
  list<P extends Plural>(plural: P, namespace?: string): readonly Kinds[P][];
  /** Creates or replaces an object with its status, as the manager `hand`. */
  set<P extends Plural>(plural: P, object: unknown): Kinds[P];
  /** Scales a deployment without a request, as the manager `hand`. */
  scale(namespace: string, name: string, replicas: number): void;
  /** Puts a deployment under an autoscaler. */
  addAutoscaler(namespace: string, deployment: string, limits: { min: number; max: number }): void;
  /** Stops controllers and kubelet; the API goes on. */
  hold(): void;
  /** Has them do all that is to be done, without waiting in between. */
  settle(): void;
  release(): void;
}

/** A cluster without a port, for `inject`. */
export interface Cluster extends Hand {
  readonly app: FastifyInstance;
  /** PEM of the authority that clients have to trust. */
  readonly cert: string;
  stop(): Promise<void>;
}

/** A cluster that listens on loopback. */
export interface RunningCluster extends Cluster {
  readonly url: string;
  /** YAML, context `demo`. It holds the token: write it with mode 0600. */
  readonly kubeconfig: string;
}

/** Creates a cluster whose controllers have finished with the seed. Call `stop` in the end. */
export function createCluster(options: ClusterOptions): Cluster {
  const { token, seed, tick = 400, now = () => new Date() } = options;
  const start = now();
  let clock = () => start;
  const time = (): Date => clock();
  // Versions grow with the clock, so that one from before a restart is recognized as old and never fits by chance.
  const store = createStore({ first: Math.floor(start.getTime() / 1000), remembered: 2000 });
  const registry = createRegistry(store, time);
  const record = createRecorder(store, registry, time, 300);
  const world = { store, registry, record, now: time };
  const isAbsent = (image: string) => seed.absentImages.includes(image);
  const controllers = createControllers(world, { tick, isAbsent });

  for (const { plural, age, object } of seed.objects) {
    clock = () => new Date(start.getTime() - age * 1000);
    registry.set(plural, object, { manager: 'kubectl-client-side-apply' });
    controllers.settle();
  }
  clock = now;
  controllers.release();

  const write = { manager: 'hand' };
  const certificate = createCertificate(start);
  const app = createServer(world, { token, certificate, speech: seed.speech });
  return {
    app,
    cert: certificate.cert,
    get: store.get,
    list: store.list,
    set: (plural, object) => registry.set(plural, object, write),
    scale: (namespace, name, replicas) => {
      const deployment = store.get('deployments', namespace, name);
      if (deployment === undefined) throw new Error(`no deployment ${namespace}/${name}`);
      registry.update(
        'deployments',
        deployment,
        { ...deployment, spec: { ...deployment.spec, replicas } },
        write,
      );
    },
    addAutoscaler: (namespace, deployment, { min, max }) => {
      const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: deployment };
      const spec = { scaleTargetRef, minReplicas: min, maxReplicas: max };
      registry.set('horizontalpodautoscalers', { metadata: { namespace, name: deployment }, spec }, write);
    },
    hold: controllers.hold,
    settle: controllers.settle,
    release: controllers.release,
    stop: async () => {
      controllers.stop();
      await app.close();
    },
  };
}

/** Creates a cluster and listens on 127.0.0.1; port 0 takes a free one. Rejects when the port is taken. */
export async function startCluster(
  options: ClusterOptions & { readonly port: number },
): Promise<RunningCluster> {
  const cluster = createCluster(options);
  try {
    const url = await cluster.app.listen({ host: '127.0.0.1', port: options.port });
    const kubeconfig = kubeconfigFor({ url, cert: cluster.cert, token: options.token });
    return { ...cluster, url, kubeconfig };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}
