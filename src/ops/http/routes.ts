import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Answer } from '../../contract/answer.ts';
import { contract, isOperation } from '../../contract/index.ts';
import { REPORTS } from '../../contract/report.ts';
import type { Reason } from '../../errors.ts';
import { isDatabaseAway } from '../../server/mysql-errors.ts';
import type { Sources } from '../../server/sources.ts';
import type { IncomingRequest } from './check.ts';

export interface RouteParts {
  readonly sources: Sources;
  handle(name: string, isPreview: boolean, request: IncomingRequest): Promise<Answer>;
  handleReport(request: IncomingRequest): Promise<Answer>;
  /** A call came from an address that may not call. */
  refusedSource(address: string): void;
  /** A request is answered; `operation` is as the path names it. */
  answered(operation: string, answer: Answer, seconds: number): void;
}

type Route = { readonly Params: { readonly name: string } };

/** Adds `POST /v1/operations/<name>`, `…/preview` and `POST /v1/reports`, and a plain answer to everything that goes wrong. */
export function addRoutes(
  app: FastifyInstance,
  { sources, handle, handleReport, refusedSource, answered }: RouteParts,
): void {
  // The first hook there is: who may not call costs neither a body nor a signature.
  app.addHook('onRequest', async (request, reply) => {
    if (sources.allows(request.ip)) return;
    refusedSource(request.ip);
    request.log.debug({ source: request.ip }, 'this source address may not call');
    reply.header('connection', 'close');
    return send(reply, { state: 'refused', reason: 'source', message: '这个来源地址不允许调用' });
  });

  // The token covers the bytes as they came, so nobody parses them first.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );

  const route = (isPreview: boolean) => async (request: FastifyRequest<Route>, reply: FastifyReply) => {
    const { name } = request.params;
    const answer = await handle(name, isPreview, whatCame(request));
    answered(name, answer, reply.elapsedTime / 1000);
    const { state } = answer;
    const reason = state === 'refused' ? answer.reason : undefined;
    request.log.info({ operation: name, isPreview, state, ...(reason && { reason }) }, 'answered');
    return send(reply, answer);
  };
  app.post<Route>('/v1/operations/:name', route(false));
  app.post<Route>('/v1/operations/:name/preview', route(true));

  app.post(`/v1/${REPORTS}`, async (request, reply) => {
    const answer = await handleReport(whatCame(request));
    answered(REPORTS, answer, reply.elapsedTime / 1000);
    return send(reply, answer);
  });

  app.setNotFoundHandler((_request, reply) =>
    send(reply, { state: 'refused', reason: 'missing', message: '没有这个地址' }),
  );

  app.setErrorHandler((error: Error & { readonly statusCode?: number }, request, reply) => {
    const { statusCode = 500 } = error;
    if (statusCode < 500) {
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
  });
}

/** Whether a confirmation was sent there: then what became of it is not known from an error. */
function mayHaveRun(url: string): boolean {
  const name = /^\/v1\/operations\/([^/?]+)$/.exec(url)?.[1] ?? '';
  return isOperation(name) && contract[name].kind === 'change';
}

function whatCame({ headers, body, ip }: FastifyRequest): IncomingRequest {
  return {
    authorization: headers.authorization,
    body: Buffer.isBuffer(body) ? body : Buffer.alloc(0),
    source: ip,
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
