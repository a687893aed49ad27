import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A callback that arrived. */
export interface Arrived {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly json: Readonly<Record<string, unknown>>;
}

/** An app's own server: keeps what arrives, and answers as it is told. */
export interface Inbox {
  readonly port: number;
  readonly arrived: readonly Arrived[];
  answer: (arrived: Arrived, response: ServerResponse) => void;
  stop(): Promise<void>;
}

/** Starts one on a free port of loopback; 127.0.0.2 and on are other hosts than 127.0.0.1. */
export async function startInbox(address = '127.0.0.1'): Promise<Inbox> {
  const arrived: Arrived[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const { method = '', url: target = '', headers } = request;
      const each = { method, target, headers, body, json: JSON.parse(body) };
      arrived.push(each);
      inbox.answer(each, response);
    });
  });
  server.listen(0, address);
  await once(server, 'listening');
  const inbox: Inbox = {
    port: (server.address() as AddressInfo).port,
    arrived,
    answer: (_arrived, response) => response.end('ok'),
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return inbox;
}
