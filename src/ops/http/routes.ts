import { AsyncLocalStorage } from 'node:async_hooks';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Answer } from '../../contract/answer.ts';
import { isPlatform } from '../../contract/platform.ts';
import type { Reason } from '../../errors.ts';
import type { RefusedAs } from '../../server/http-server.ts';
import { isDatabaseAway } from '../../server/mysql-errors.ts';
import type { Refusal } from '../../server/refusals.ts';
import type { IncomingRequest } from './check.ts';

/** The log under the id of the request that is being answered, for what its work meets far below; none in the background. */
export const logOfRequest = new AsyncLocalStorage<FastifyRequest['log']>();

export interface RouteParts {
  handle(name: string, isPreview: boolean, request: IncomingRequest): Promise<Answer>;
  /** What the bot asks on its own account, by the path after `/v1/`. */
  readonly own: Readonly<Record<string, (request: IncomingRequest) => Promise<Answer>>>;
  /** Whether an operation only looks. */
  isRead(name: string): boolean;
  /** A request is answered; `operation` is as the path names it. */
  answered(operation: string, answer: Answer, seconds: number): void;
}

type Route = { readonly Params: { readonly name: string } };

/** Adds `POST /v1/operations/<name>`, `…/preview` and those of the bot's own, and a plain answer to everything that goes wrong. */
export function addRoutes(app: FastifyInstance, { handle, own, isRead, answered }: RouteParts): void {
  // The token covers the bytes as they came, so nobody parses them first.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );

  const route = (isPreview: boolean) => async (request: FastifyRequest<Route>, reply: FastifyReply) => {
    const { name } = request.params;
    const answer = await logOfRequest.run(request.log, () => handle(name, isPreview, whatCame(request)));
    answered(name, answer, reply.elapsedTime / 1000);
    const { state } = answer;
    const reason = state === 'refused' ? answer.reason : undefined;
    request.refusal = faultIn(answer);
    if (request.refusal === 'logged') {
      request.log.info({ operation: name, isPreview, state, ...(reason && { reason }) }, 'answered');
    }
    return send(reply, answer);
  };
  app.post<Route>('/v1/operations/:name', route(false));
  app.post<Route>('/v1/operations/:name/preview', route(true));

  for (const [name, handleOwn] of Object.entries(own)) {
    app.post(`/v1/${name}`, async (request, reply) => {
      const answer = await handleOwn(whatCame(request));
      answered(name, answer, reply.elapsedTime / 1000);
      request.refusal = faultIn(answer);
      return send(reply, answer);
    });
  }

  /** Whether a confirmation was sent there: then what became of it is not known from an error. */
  const mayHaveRun = (url: string): boolean => {
    const name = /^\/v1\/operations\/([^/?]+)$/.exec(url)?.[1] ?? '';
    return name !== '' && !isPlatform(name) && !isRead(name);
  };

  app.setErrorHandler(
    (error: Error & { readonly statusCode?: number; readonly code?: string }, request, reply) => {
      const { statusCode = 500 } = error;
      if (statusCode < 500) {
        const { code = 'no code' } = error;
        request.refusal = { problem: `the body is malformed or over its limit (${code}); ${REMEDIES.input}` };
        const message = statusCode === 413 ? '请求体太大' : '请求格式不对';
        return reply.code(statusCode).send({ state: 'refused', reason: 'input', message } satisfies Answer);
      }
      request.log.error({ err: error }, 'request failed');
      const away = isDatabaseAway(error);
      const whatNow = mayHaveRun(request.url)
        ? '操作可能已经执行，结果查清后会告诉你，请不要重复操作'
        : '没有执行任何操作，请稍后再试';
      const message = away
        ? `平台的数据库暂时连不上。${whatNow}`
        : `出错了，编号 ${request.id.slice(0, 8)}。${whatNow}；如果一直这样，请把编号发给运维负责人`;
      return reply.code(away ? 503 : 500).send({ state: 'error', message } satisfies Answer);
    },
  );
}

/** What is answered to a request that the server itself refuses. */
export function refuse(as: RefusedAs, reply: FastifyReply): FastifyReply {
  return send(reply, { state: 'refused', ...SERVER_REFUSALS[as] });
}

const SERVER_REFUSALS = {
  source: { reason: 'source', message: '这个来源地址不允许调用' },
  missing: { reason: 'missing', message: '没有这个地址' },
  malformed: { reason: 'input', message: '请求格式不对' },
} as const satisfies Record<RefusedAs, object>;

/** What to do about a refusal that is no answer to a person, but a fault of who calls. */
const REMEDIES = {
  token:
    'compare OPS_SIGNING_KEY of the bot with OPS_VERIFYING_KEYS here, and the clocks of both; if no bot calls, look who does',
  replay: 'a token is for one request; look who sends it again',
  input: 'if it is the bot that calls, let both be of one version',
} as const satisfies { readonly [reason in Reason | 'input']?: string };

/** What the log is to say of an answer that refuses for such a fault. What a person is refused has a line of its own. */
function faultIn(answer: Answer): Refusal | 'logged' {
  const { state } = answer;
  const remedy = state === 'refused' && REMEDIES[answer.reason as keyof typeof REMEDIES];
  return remedy ? { problem: `${answer.message}; ${remedy}` } : 'logged';
}

function whatCame({ headers, body, source }: FastifyRequest): IncomingRequest {
  return {
    authorization: headers.authorization,
    body: Buffer.isBuffer(body) ? body : Buffer.alloc(0),
    source,
  };
}

function send(reply: FastifyReply, answer: Answer): FastifyReply {
  return reply.code(statusOf(answer)).send(answer);
}

const FORBIDDEN: ReadonlySet<string> = new Set(['source', 'token', 'replay', 'policy'] satisfies Reason[]);

/** The HTTP status that goes with an answer. What the answer says counts; the status is for proxies and people. */
function statusOf(answer: Answer): number {
  if (answer.state === 'error') return 500;
  if (answer.state === 'failed') return 502;
  if (answer.state !== 'refused') return 200;
  if (answer.reason === 'input') return 400;
  if (answer.reason === 'missing') return 404;
  return FORBIDDEN.has(answer.reason) ? 403 : 409;
}
