import {
  type Configuration,
  createConfiguration,
  ResponseContext,
  ServerConfiguration,
  wrapHttpLibrary,
} from '@kubernetes/client-node';
import { Refused } from '../../errors.ts';
import type { HttpRequest } from '../../server/http-client.ts';
import type { Connections } from '../kubeconfig/connections.ts';
import type { TargetFailed } from '../target-failed.ts';
import { createAnswers } from './answers.ts';

/** What operations reach in the namespaces of one unit. */
export type Cluster = ReturnType<ReturnType<typeof openCluster>>;

/** What a cluster is reached with. */
export interface ClusterParts {
  /** The context of the kubeconfig; it stands in the sentences for users. */
  readonly name: string;
  readonly connections: Pick<Connections, 'send'>;
  /** Hears why the cluster did not do what it was asked; for the log. */
  onFailure(error: TargetFailed): void;
}

/** The path of anything inside of a namespace, and that namespace. */
const NAMESPACED = /^\/(?:api\/v1|apis\/[a-z0-9.-]+\/v[a-z0-9]+)\/namespaces\/([a-z0-9-]+)\/[^/]/;

/**
 * Opens a cluster. What comes back answers what may be reached in some of its namespaces: the client's own APIs (`api`),
 * whose requests take 3 s at most and are refused outside of these namespaces, and what takes their answers. These throw
 * Refused('missing') when the object is not there, Refused('moved') when it is no longer at the version asked for, and
 * TargetFailed for anything else, also for an answer that is not of the kind asked for.
 */
export function openCluster({ name: context, connections, onFailure }: ClusterParts) {
  const answers = createAnswers(`集群 ${context} `, onFailure);
  const clientFor = (namespaces: readonly string[]): Configuration =>
    createConfiguration({
      baseServer: new ServerConfiguration('https://cluster', {}),
      httpApi: wrapHttpLibrary({
        async send(request) {
          const url = new URL(request.getUrl());
          const namespace = NAMESPACED.exec(url.pathname)?.[1];
          if (namespace === undefined || !namespaces.includes(namespace)) {
            throw new Refused('policy', `操作够不到集群里的 ${namespace ?? '这个地址'}`);
          }
          const body = request.getBody() as string | undefined;
          const { status, text } = await connections.send(context, {
            method: request.getHttpMethod() as HttpRequest['method'],
            path: url.pathname + url.search,
            headers: request.getHeaders(),
            ...(body !== undefined && { body }),
          });
          // Whatever the type that it names, an answer is a log, the JSON of an object, or not understood.
          const isLog = url.pathname.endsWith('/log') && status === 200;
          const headers = { 'content-type': isLog ? 'text/plain' : 'application/json' };
          return new ResponseContext(status, headers, {
            text: async () => text,
            binary: async () => Buffer.from(text),
            stream: () => null,
          });
        },
      }),
    });
  return (namespaces: readonly string[]) => {
    const client = clientFor(namespaces);
    return {
      ...answers,
      /** One of the client's APIs, such as `AppsV1Api`. */
      api: <T>(Api: new (client: Configuration) => T): T => new Api(client),
    };
  };
}
