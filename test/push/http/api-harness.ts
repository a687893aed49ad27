import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { PushAnswer } from '#test/push-answer.ts';
import { openPushDatabase } from '#test/push-database.ts';
import { createKeys, type Keys } from '../../../src/push/apps/keys.ts';
import { signRequest } from '../../../src/push/apps/signature.ts';
import type { Database } from '../../../src/push/database/database.ts';
import { createRates } from '../../../src/push/http/rates.ts';
import type { Route } from '../../../src/push/http/route.ts';
import { createApi } from '../../../src/push/http/server.ts';
import { createLog, type Log } from '../../../src/server/log.ts';
import { createSources } from '../../../src/server/sources.ts';

export const MASTER_KEY = 'a master key of the tests, 32 characters long';

/** A request as a test describes it; what is absent is as it should be. */
export interface ApiRequest {
  readonly method?: string;
  readonly path: string;
  readonly json?: unknown;
  readonly body?: Buffer | string;
  readonly contentType?: string;
  readonly app?: string;
  readonly key?: string;
  readonly nonce?: string;
  /** Unix ms at which it is signed. */
  readonly at?: number;
  /** Over what was signed. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** Signed in place of what is sent. */
  readonly signed?: { readonly method?: string; readonly target?: string; readonly body?: Buffer | string };
  readonly from?: string;
}

export interface ApiResponse {
  readonly status: number;
  readonly body: PushAnswer;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** An API on a database of its own; `clock.now` stands still unless a test moves it. */
export interface ApiHarness {
  readonly db: Database;
  readonly url: string;
  readonly keys: Keys;
  readonly app: FastifyInstance;
  readonly clock: { now: number };
  /** Every line of the log so far. */
  log(): string;
  /** The key of an app that was made with these scopes. */
  newApp(
    app: string,
    scopes: readonly string[],
    more?: { perMinute?: number; callbackHosts?: string[] },
  ): Promise<string>;
  say(said: ApiRequest): Promise<ApiResponse>;
  stop(): Promise<void>;
}

type Options = Pick<Parameters<typeof createApi>[0], 'bodyMs' | 'streamMs' | 'room'> & {
  trustedProxies?: readonly string[];
  log?: Log;
  realClock?: boolean;
};

export async function openApiHarness(
  routesOf: (parts: { db: Database; url: string; now: () => number }) => readonly Route[],
  { realClock = false, ...more }: Options = {},
): Promise<ApiHarness> {
  const { db, url, drop } = await openPushDatabase();
  const clock = { now: Date.UTC(2026, 10, 21, 8) };
  const now = () => (realClock ? Date.now() : clock.now);
  const lines: string[] = [];
  const log = createLog({ level: 'trace', destination: { write: (line) => lines.push(line) } });
  const keys = createKeys({ db, masterKey: MASTER_KEY, now, log });
  const app = createApi({
    routes: routesOf({ db, url, now }),
    keys,
    sources: createSources(['127.0.0.0/29']),
    trustedProxies: [],
    rates: createRates(db, now),
    now,
    log,
    ...more,
  });
  const keyOf = new Map<string, string>();
  return {
    db,
    url,
    keys,
    app,
    clock,
    log: () => lines.join(''),
    async newApp(name, scopes, more) {
      const { key } = await keys.create({ app: name, scopes, ...more });
      keyOf.set(name, key);
      clock.now += 2000;
      return key;
    },
    async say(said) {
      const {
        method = said.json === undefined && said.body === undefined ? 'GET' : 'POST',
        app: name = 'ci',
      } = said;
      const body = said.body ?? (said.json === undefined ? '' : JSON.stringify(said.json));
      const signed = signRequest(
        { app: name, key: said.key ?? keyOf.get(name) ?? '' },
        {
          method: said.signed?.method ?? method,
          target: said.signed?.target ?? said.path,
          body: said.signed?.body ?? body,
          now: said.at ?? now(),
          nonce: said.nonce ?? randomUUID(),
        },
      );
      const contentType = said.contentType ?? (said.json === undefined ? undefined : 'application/json');
      const headers = { ...signed, ...(contentType && { 'content-type': contentType }), ...said.headers };
      const response = await app.inject({
        method: method as 'GET',
        url: said.path,
        headers: Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined)),
        ...(body.length > 0 && { payload: body }),
        remoteAddress: said.from ?? '127.0.0.1',
      });
      const text = response.payload;
      return {
        status: response.statusCode,
        headers: response.headers,
        body: text === '' ? undefined : JSON.parse(text),
      };
    },
    async stop() {
      await app.close();
      await drop();
    },
  };
}
