import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** One call of message/send that WeCom took, until its caller had the answer or was gone; times in ms from any start. */
export interface SeenCall {
  readonly users: readonly string[];
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

/** Stands between Keypad and WeCom, and sees which calls are under way. */
export interface Witness {
  readonly url: string;
  /** In the order in which WeCom took them. */
  readonly calls: readonly SeenCall[];
  stop(): Promise<void>;
}

/** Starts one on loopback. Each message takes so many ms, so that there is always one under way. */
export async function startWitness(weComUrl: string, ms: number): Promise<Witness> {
  const calls: SeenCall[] = [];
  const server = createServer(async (request, response) => {
    try {
      const body = Buffer.concat(await request.toArray());
      // Whoever was killed or gave up before this moment never reached WeCom.
      if (response.destroyed) return;
      const from = performance.now();
      let to: number | undefined;
      response.on('close', () => {
        to ??= performance.now();
      });
      const isMessage = request.url?.startsWith('/cgi-bin/message/send') ?? false;
      const answer = await fetch(weComUrl + request.url, {
        method: request.method ?? 'GET',
        headers: { 'content-type': request.headers['content-type'] ?? 'text/plain' },
        ...(body.length > 0 && { body }),
      });
      const text = await answer.text();
      if (isMessage && JSON.parse(text).errcode === 0) {
        const { touser, text: said } = JSON.parse(body.toString());
        const call = { users: touser.split('|'), text: said.content, from, to: from };
        calls.push(call);
        await sleep(ms);
        to ??= performance.now();
        call.to = to;
      }
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(text);
    } catch {
      // Whoever called was killed meanwhile, or WeCom has ended.
      response.destroy();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
