import { openCluster } from '../../src/ops/targets/cluster.ts';
import { openMysqlServer } from '../../src/ops/targets/mysql-server.ts';
import { openService } from '../../src/ops/targets/service.ts';
import type { OpenTargets } from '../../src/ops/targets/targets.ts';
import type { HttpAnswer, HttpRequest } from '../../src/server/http-client.ts';
import type { FakeCluster } from './fake-cluster.ts';

type Row = Readonly<Record<string, unknown>>;

/** Answers one statement; what it throws is what the server says, such as `Object.assign(new Error(), { code: 'ER_…' })`. */
type AnswerSql = (statement: string, values: readonly string[]) => readonly Row[] | Promise<readonly Row[]>;
/** The MySQL instances of a unit, by name. */
export type FakeMysql = Readonly<Record<string, AnswerSql>>;

/** Instances of MySQL, each as a function from a statement and its values to rows. */
export function fakeMysql(instances: FakeMysql): FakeMysql {
  return instances;
}

/** A request as a service gets it: `path` stands behind its base path and has the query. */
export interface FakeRequest extends Pick<HttpRequest, 'method'> {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: string;
}
type AnswerHttp = (request: FakeRequest) => FakeAnswer | Promise<FakeAnswer>;
type FakeAnswer = number | { readonly status: number; readonly json?: unknown; readonly text?: string };
/** The HTTP services of a unit, by name. */
export type FakeHttp = Readonly<Record<string, AnswerHttp>>;

/**
 * HTTP services, each as a function from a request to a status, or `{ status, json }`. One that throws has given no
 * answer, and nobody knows whether it did what it was asked.
 */
export function fakeHttp(services: FakeHttp): FakeHttp {
  return services;
}

/** What a test gives to an operation. */
export interface Fakes {
  readonly cluster?: FakeCluster;
  readonly mysql?: FakeMysql;
  readonly http?: FakeHttp;
}

const BASE = 'https://service.example';

/** The address of every service in the policy of a test. */
export const serviceAt = { url: BASE } as const;

/** The platform's own targets over fakes. Each call to one goes `through`, which may hold it up. */
export function openFakes({ cluster, mysql = {}, http = {} }: Fakes, through: Through): OpenTargets {
  const onFailure = (): void => {};
  return {
    cluster: (name) =>
      openCluster({
        name,
        onFailure,
        connections: {
          send: (_context, request) =>
            through(async () => {
              if (cluster === undefined) throw new Error('the test has given no cluster');
              return cluster.send(request);
            }),
        },
      }),
    mysql(name) {
      const answer = Object.hasOwn(mysql, name) ? mysql[name] : undefined;
      if (answer === undefined) return undefined;
      const rows = (statement: string, values: readonly string[] = []) =>
        through(async () => [...(await answer(statement, values))]);
      const server = openMysqlServer({ name, url: 'mysql://fake@127.0.0.1/', onFailure });
      return { ...server, rows, report: ({ statement, values }) => rows(statement, values) };
    },
    http(name) {
      const send = async ({ method, url, headers = {}, body = '' }: HttpRequest): Promise<HttpAnswer> =>
        through(async () => {
          const answer = http[name] as AnswerHttp;
          const text = typeof body === 'string' ? body : new TextDecoder().decode(body);
          const path = url.pathname + url.search;
          const said = await answer({ method, path, headers, body: text });
          if (typeof said === 'number') return { status: said, text: '' };
          return { status: said.status, text: said.text ?? JSON.stringify(said.json ?? null) };
        });
      return openService({ name, url: BASE, client: { send }, onFailure });
    },
  };
}

/** Carries one call to a target. */
export type Through = <T>(call: () => Promise<T>) => Promise<T>;
