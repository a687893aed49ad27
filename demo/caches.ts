import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Where a request to the demo's caches can be held: looked at, before it has its effect, or with the effect made. */
export type Stage = 'look' | 'before' | 'after';

/** What becomes of the next flushes, instead of an answer: nothing, an error without effect, or an effect without answer. */
export type Fault = 'none' | 'hang' | 'fail' | 'lose';

/** One request as it came. */
export interface CacheRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** The demo's caches that run. */
export interface RunningCaches {
  readonly url: string;
  /** The requests that came, oldest first, and how often a cache was really emptied. */
  readonly requests: readonly CacheRequest[];
  readonly flushes: () => number;
  setFault(fault: Fault): void;
  /** Holds the next requests at that stage until it is released; `reached` is when the first is there. */
  hold(stage: Stage): { readonly reached: Promise<void>; release(): void };
  stop(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly json: unknown;
}

const SEED = { goods: 1280, price: 96, 'page-home': 12 };
const FAULTS: readonly string[] = ['none', 'hang', 'fail', 'lose'];

/**
 * Starts an HTTP service as a team may have one: caches of each team, listed at `/<team>/caches`, emptied by a POST to
 * `/<team>/caches/<name>/flush`, and what became of one at `/<team>/operations/<id>/close`, after which it has no effect any
 * more. It wants the token as a bearer. `POST /control` with `{"fault": "hang"}` makes it fail, for whoever is on this machine.
 */
export async function startCaches({ port, token }: { port: number; token: string }): Promise<RunningCaches> {
  const teams = new Map<string, Map<string, number>>();
  const operations = new Map<string, number | 'closed'>();
  const requests: CacheRequest[] = [];
  const holds = new Map<Stage, { reach(): void; readonly released: Promise<void> }>();
  let fault: Fault = 'none';
  let flushes = 0;

  const cachesOf = (team: string) => {
    const caches = teams.get(team) ?? new Map(Object.entries(SEED));
    teams.set(team, caches);
    return caches;
  };
  const pass = async (stage: Stage): Promise<void> => {
    const hold = holds.get(stage);
    hold?.reach();
    await hold?.released;
  };
  const flush = async (caches: Map<string, number>, name: string, id: string): Promise<Answer | 'lost'> => {
    if (fault === 'hang') return 'lost';
    await pass('before');
    const known = operations.get(id);
    if (known === 'closed') return { status: 409, json: { error: 'the operation is closed' } };
    if (known !== undefined) return { status: 200, json: { flushed: known } };
    if (fault === 'fail') return { status: 500, json: { error: 'out of order' } };
    const entries = caches.get(name) ?? 0;
    caches.set(name, 0);
    flushes += 1;
    if (id !== '') operations.set(id, entries);
    await pass('after');
    return fault === 'lose' ? 'lost' : { status: 200, json: { flushed: entries } };
  };
  const answer = async ({ method, path, headers, body }: CacheRequest): Promise<Answer | 'lost'> => {
    const [, team = '', what, name = '', action, ...more] = path.split('/').map(decodeURIComponent);
    if (path === '/control' && method === 'POST') {
      const { fault: asked } = JSON.parse(body) as { fault: Fault };
      if (FAULTS.includes(asked)) fault = asked;
      return { status: 200, json: { fault } };
    }
    if (headers.authorization !== `Bearer ${token}`) return { status: 401, json: { error: 'who is it?' } };
    const caches = cachesOf(team);
    if (more.length > 0) return MISSING;
    if (what === 'operations' && action === 'close') {
      const entries = operations.get(name) ?? 'closed';
      operations.set(name, entries);
      return { status: 200, json: { applied: entries !== 'closed', closed: true } };
    }
    if (what !== 'caches') return MISSING;
    if (action === 'flush' && method === 'POST') {
      const id = headers['idempotency-key'];
      return caches.has(name) ? flush(caches, name, typeof id === 'string' ? id : '') : MISSING;
    }
    await pass('look');
    const list = [...caches].map(([each, entries]) => ({ name: each, entries }));
    if (name === '') return { status: 200, json: { caches: list } };
    const found = list.find((each) => each.name === name);
    return found && action === undefined ? { status: 200, json: found } : MISSING;
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = Buffer.concat(await request.toArray()).toString();
    const { method = '', url: path = '', headers } = request;
    const came = { method, path, headers, body };
    requests.push(came);
    const answered = await answer(came);
    if (answered === 'lost') return fault === 'hang' ? undefined : void request.socket.destroy();
    response.writeHead(answered.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answered.json));
  };
  const server = createServer((request, response) => {
    serve(request, response).catch(() => request.socket.destroy());
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    flushes: () => flushes,
    setFault(next) {
      fault = next;
    },
    hold(stage) {
      const reached = Promise.withResolvers<void>();
      const released = Promise.withResolvers<void>();
      holds.set(stage, { reach: reached.resolve, released: released.promise });
      return {
        reached: reached.promise,
        release() {
          holds.delete(stage);
          released.resolve();
        },
      };
    },
    async stop() {
      for (const { reach } of holds.values()) reach();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const MISSING: Answer = { status: 404, json: { error: 'there is no such thing' } };
