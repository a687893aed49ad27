import { createHash } from 'node:crypto';
import { type Answer, type Caller, Refusal, type Route } from '../../../src/push/http/route.ts';

/** An app that may do everything. */
export const CALLER: Caller = {
  app: 'ci',
  scopes: {
    words: [],
    allowsKind: () => true,
    allowsTemplate: () => true,
    allowsReceiver: () => true,
    allows: () => true,
    allowsAccount: () => true,
  },
  callbackHosts: [],
};

/** One request to one of these routes, as the server would hand it on: `PUT /templates/:key`, its params and JSON body. */
export async function ask(
  routes: readonly Route[],
  line: string,
  request: {
    readonly params?: Readonly<Record<string, string>>;
    readonly body?: unknown;
    readonly query?: Readonly<Record<string, string>>;
    readonly raw?: Buffer;
    readonly caller?: Caller;
  } = {},
): Promise<Answer> {
  const route = routes.find(({ method, path }) => `${method} ${path}` === line);
  if (route === undefined) throw new Error(`there is no route ${line}`);
  const raw = request.raw ?? Buffer.alloc(0);
  try {
    return await route.handle({
      caller: request.caller ?? CALLER,
      params: request.params ?? {},
      body: route.body?.parse(request.body),
      query: route.query?.parse(request.query ?? {}),
      raw,
      contentType: 'application/octet-stream',
      bodyHash: createHash('sha256').update(raw).digest('hex'),
    });
  } catch (error) {
    if (error instanceof Refusal) return { status: error.status, body: { error: error.message } };
    throw error;
  }
}
