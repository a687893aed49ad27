import { once } from 'node:events';
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo } from 'node:net';
import { createCertificate } from '../../demo/cluster/certificate.ts';
import type { RunningCluster } from '../../demo/cluster/cluster.ts';
import { kubeconfigFor } from '../../demo/cluster/kubeconfig.ts';

/** A request on its way through a gate. */
export interface Passing {
  readonly method: string;
  readonly path: string;
}

/** One request that was stopped at a gate. */
export interface Held {
  /** Resolves when it is there: held as a `request` it has no effect yet, as an `answer` it has had its effect. */
  readonly reached: Promise<void>;
  release(): void;
  /** Cuts its connection: a request never gets through, an answer is never read. */
  drop(): void;
}

/** A proxy between two parts of the demo, so that a test decides what is in the middle when one of them dies. */
export interface Gate {
  readonly url: string;
  /** What went through to the other side, in order. */
  readonly passed: readonly Passing[];
  /** Stops the next request that fits, before it goes on or before its answer comes back. */
  hold(side: 'request' | 'answer', fits: (passing: Passing) => boolean): Held;
  close(): Promise<void>;
}

interface Hold {
  readonly side: 'request' | 'answer';
  readonly fits: (passing: Passing) => boolean;
  readonly reached: PromiseWithResolvers<void>;
  readonly decided: PromiseWithResolvers<'release' | 'drop'>;
}

/** What stands on both sides of a gate; with a certificate both speak TLS. */
interface GateOptions {
  readonly port?: number;
  /** Asked at each request: the other side may not be up yet when the gate opens. */
  readonly target: () => string;
  readonly tls?: { readonly key: string; readonly cert: string; readonly targetCert: string };
}

/** Opens a gate on loopback in front of an HTTP server. */
export async function openGate({ port = 0, target, tls }: GateOptions): Promise<Gate> {
  let holds: readonly Hold[] = [];
  const passed: Passing[] = [];

  const stopAt = async (side: Hold['side'], passing: Passing): Promise<'release' | 'drop'> => {
    const hold = holds.find((each) => each.side === side && each.fits(passing));
    if (hold === undefined) return 'release';
    holds = holds.filter((each) => each !== hold);
    hold.reached.resolve();
    return hold.decided.promise;
  };

  const handle = async (request: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
    const passing = { method: request.method ?? '', path: request.url ?? '' };
    const body = await read(request);
    if ((await stopAt('request', passing)) === 'drop') return void request.socket.destroy();
    passed.push(passing);
    const answer = await forward(target(), request, body, tls?.targetCert);
    const answered = await read(answer);
    if ((await stopAt('answer', passing)) === 'drop') return void request.socket.destroy();
    response.writeHead(answer.statusCode ?? 502, answer.headers).end(answered);
  };
  const listener = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    // What either side breaks off is broken off for the other.
    handle(request, response).catch(() => request.socket.destroy());
  };
  const server = tls === undefined ? http.createServer(listener) : https.createServer(tls, listener);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    passed,
    hold(side, fits) {
      const [reached, decided] = [Promise.withResolvers<void>(), Promise.withResolvers<'release' | 'drop'>()];
      holds = [...holds, { side, fits, reached, decided }];
      return {
        reached: reached.promise,
        release: () => decided.resolve('release'),
        drop: () => decided.resolve('drop'),
      };
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Opens a gate in front of a cluster, and answers the kubeconfig that leads through it. */
export async function openClusterGate(
  cluster: RunningCluster,
  token: string,
): Promise<Gate & { readonly kubeconfig: string }> {
  const certificate = createCertificate(new Date());
  const gate = await openGate({
    target: () => cluster.url,
    tls: { ...certificate, targetCert: cluster.cert },
  });
  return { ...gate, kubeconfig: kubeconfigFor({ url: gate.url, cert: certificate.cert, token }) };
}

/** Whether a request writes to that deployment, by its `scale` subresource or as a whole. */
export function writesTo(name: string): (passing: Passing) => boolean {
  return ({ method, path }) =>
    method !== 'GET' && new RegExp(`/deployments/${name}(/scale)?(\\?|$)`).test(path);
}

/** Whether a request is a confirmed change on its way to ops. */
export function confirms(operation: string): (passing: Passing) => boolean {
  return ({ path }) => path === `/v1/operations/${operation}`;
}

async function forward(
  target: string,
  { method, url, headers }: http.IncomingMessage,
  body: Buffer,
  ca: string | undefined,
): Promise<http.IncomingMessage> {
  const options = { method, headers, agent: false };
  const request =
    ca === undefined
      ? http.request(new URL(url ?? '/', target), options)
      : https.request(new URL(url ?? '/', target), { ...options, ca });
  request.end(body);
  const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
  return answer;
}

async function read(stream: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
