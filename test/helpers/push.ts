import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { demoMembers } from '../../demo/wecom/app.ts';
import { hashOf, isSignedWith, signatureHeaders } from '../../src/push/apps/signature.ts';

/** One text that was handed in. */
export interface HandedIn {
  readonly to: { readonly users: readonly string[] };
  readonly text: string;
  readonly priority: string;
  readonly idempotencyKey: string;
}

/** What becomes of one message: refused with a status, `hang` up before it is taken down, or `lose` the answer after. */
export type PushScript = (message: HandedIn) => number | 'hang' | 'lose' | undefined;

/** A message delivery for tests of the bot and the ops platform: real HTTP, real signatures, scripted answers. */
export interface ScriptedPush {
  readonly url: string;
  readonly app: string;
  readonly key: string;
  /** Every message that was handed in, also what was refused or is a repeat. */
  readonly attempts: readonly HandedIn[];
  /** Path and query of every request whose signature was right. */
  readonly targets: readonly string[];
  script: PushScript;
  /** What was taken down for that user, each idempotency key once. */
  told(user: string): readonly string[];
  stop(): Promise<void>;
}

/** Starts one on a free port, with the members of the demo in its directory. */
export async function startPush(): Promise<ScriptedPush> {
  const [app, key] = ['keypad-bot', 'k'.repeat(43)];
  const attempts: HandedIn[] = [];
  const taken = new Map<string, HandedIn>();
  const targets: string[] = [];
  const answer = (path: string, body: string): { status: number; body: unknown } | null => {
    targets.push(path);
    const [target] = path.split('?') as [string];
    if (target === '/v1/directory/callback-ranges') return { status: 200, body: { ranges: [] } };
    const [, userid] = /^\/v1\/directory\/users\/([\w.@-]+)$/.exec(target) ?? [];
    if (userid !== undefined) {
      const member = demoMembers.find((each) => each.userid === userid);
      if (member === undefined) return { status: 404, body: { error: 'WeCom knows no such member.' } };
      return { status: 200, body: { userid, name: member.name, departments: member.department } };
    }
    const message = JSON.parse(body) as HandedIn;
    attempts.push(message);
    const fate = push.script(message);
    if (fate === 'hang') return null;
    if (typeof fate === 'number') return { status: fate, body: { error: 'It was refused.' } };
    const before = taken.get(message.idempotencyKey);
    if (before !== undefined && before.text !== message.text) {
      return { status: 409, body: { error: 'The idempotencyKey was used for another message.' } };
    }
    taken.set(message.idempotencyKey, message);
    return fate === 'lose' ? null : { status: 202, body: { id: message.idempotencyKey, state: 'queued' } };
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const header = (name: keyof typeof signatureHeaders) => String(request.headers[signatureHeaders[name]]);
      const signed = {
        method: request.method ?? '',
        target: request.url ?? '',
        timestamp: header('timestamp'),
        nonce: header('nonce'),
        purpose: 'request' as const,
        bodyHash: header('contentHash'),
      };
      const isWhole = hashOf(body) === signed.bodyHash;
      const isSigned = isWhole && header('app') === app && isSignedWith(key, signed, header('signature'));
      const answered = isSigned
        ? answer(signed.target, body.toString())
        : { status: 401, body: { error: 'The signature is wrong.' } };
      if (answered === null) return response.destroy();
      response.writeHead(answered.status, { 'content-type': 'application/json' });
      return response.end(JSON.stringify(answered.body));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const push: ScriptedPush = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    app,
    key,
    attempts,
    targets,
    script: () => undefined,
    told: (user) => [...taken.values()].filter(({ to }) => to.users.includes(user)).map(({ text }) => text),
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return push;
}
