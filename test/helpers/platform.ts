import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Answer } from '../../src/contract/answer.ts';
import { CATALOGUE } from '../../src/contract/catalogue.ts';
import { makeKeyPair, readVerifyingKeys } from '../../src/contract/keys.ts';
import { REPORTS } from '../../src/contract/report.ts';
import { verifyReportToken, verifyToken } from '../../src/contract/token.ts';
import { catalogue } from './operations.ts';

/** A request that reached the platform, its token already verified. */
export interface PlatformCall {
  readonly operation: string;
  readonly user: string;
  readonly departments: readonly number[];
  readonly body: unknown;
  readonly trace: string | undefined;
}

/** An answer, or `hang` up without one. */
type Scripted = Answer | 'hang' | undefined;
/** What a scripted platform answers, at once or later. */
export type Script = (call: PlatformCall) => Scripted | Promise<Scripted>;

/** An ops platform for tests of the bot: real HTTP, real tokens, scripted answers. */
export interface ScriptedPlatform {
  readonly url: string;
  readonly signingKey: string;
  readonly calls: readonly PlatformCall[];
  script: Script;
  stop(): Promise<void>;
}

const DEFAULTS: Readonly<Record<string, unknown>> = {
  me: { 电商: ['k8s.deployments.list', 'k8s.scale', 'k8s.pods.list'] },
  'units.list': ['电商'],
  'operation.received': {},
  [CATALOGUE]: { generation: catalogue.generation, policy: 'test', operations: catalogue.entries },
};

/** Starts one on a free port. What the script leaves open is answered as for a user with one unit. */
export async function startPlatform(): Promise<ScriptedPlatform> {
  const pair = await makeKeyPair();
  const keys = readVerifyingKeys(pair.verifyingKeys);
  const calls: PlatformCall[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const body = Buffer.concat(chunks);
      const operation = (request.url ?? '').replace('/v1/operations/', '').replace('/v1/', '');
      const token = (request.headers.authorization ?? '').replace('Bearer ', '');
      const use = { operation, body, now: Date.now() };
      const claims =
        operation === REPORTS || operation === CATALOGUE
          ? { ...(await verifyReportToken(keys, token, use)), sub: '', departments: [] }
          : await verifyToken(keys, token, use);
      const call = {
        operation,
        user: claims.sub,
        departments: claims.departments ?? [],
        body: JSON.parse(body.toString()) as unknown,
        trace: request.headers['x-keypad-id'] as string | undefined,
      };
      calls.push(call);
      const answer = (await platform.script(call)) ?? { state: 'done', output: DEFAULTS[operation] };
      if (answer === 'hang') return response.destroy();
      return response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const platform: ScriptedPlatform = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    signingKey: JSON.stringify(pair.signingKey),
    calls,
    script: () => undefined,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return platform;
}
