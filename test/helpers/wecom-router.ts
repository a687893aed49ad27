import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One address of WeCom's server API in front of several simulators, each of which knows the apps of one enterprise. */
export interface WeComRouter {
  readonly url: string;
  /** Simulators by corp id; the one under '' takes what no other does. */
  readonly simulators: Map<string, string>;
  stop(): Promise<void>;
}

/** Starts one. A token belongs to the simulator that gave it; `gettoken` names the enterprise itself. */
export async function startWeComRouter(): Promise<WeComRouter> {
  const simulators = new Map<string, string>();
  const givers = new Map<string, string>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { pathname, search, searchParams } = new URL(request.url ?? '', 'http://localhost');
    const corpId = searchParams.get('corpid') ?? givers.get(searchParams.get('access_token') ?? '') ?? '';
    const base = simulators.get(corpId) ?? simulators.get('') ?? '';
    const isPost = request.method === 'POST';
    const answered = await fetch(`${base}${pathname}${search}`, {
      method: request.method ?? 'GET',
      headers: { 'content-type': request.headers['content-type'] ?? 'application/json' },
      ...(isPost && { body: Buffer.concat(chunks) }),
    });
    const text = await answered.text();
    const token = /"access_token":\s*"([^"]+)"/.exec(text)?.[1];
    if (token !== undefined && simulators.has(corpId)) givers.set(token, corpId);
    const type = answered.headers.get('content-type') ?? 'application/json';
    response.writeHead(answered.status, { 'content-type': type }).end(text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    simulators,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
