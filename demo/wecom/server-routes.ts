import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ApiAnswer, ApiCall } from './api-call.ts';
import { ApiError } from './api-error.ts';
import type { Faults } from './faults.ts';
import { readJson } from './fields.ts';

/** What a call may bring: the largest file of §4.6, and the form around it. */
const MOST_BYTES = 21 * 1024 * 1024;

/** Adds `/cgi-bin/*` to a Fastify app: each call meets its fault first, if one is set, and then the API itself. */
export async function addServerRoutes(
  http: FastifyInstance,
  options: {
    readonly answer: (call: ApiCall) => Promise<ApiAnswer>;
    readonly faults: Faults;
    /** The name of the robot with a key, for faults that meet one robot only. */
    readonly robotOf: (key: string | undefined) => string;
    readonly record: (name: string, errcode: number) => void;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { answer, faults, robotOf, record, signal } = options;
  // Whatever the content type says, WeCom reads JSON; a body that is none is the API's to refuse.
  http.removeAllContentTypeParsers();
  http.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  const handle = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const call = callOf(request);
    const { name } = call;
    const fault = faults.take(name, (receiver) => namesReceiver(call, receiver, robotOf));
    if (fault?.delayMs !== undefined) await sleep(fault.delayMs, undefined, { signal });
    const isSpoilt = fault?.hang || fault?.cut || fault?.status !== undefined || fault?.errcode !== undefined;
    const answered = !isSpoilt || fault?.tookEffect ? await answer(call) : undefined;
    record(name, fault?.errcode ?? (isSpoilt ? -1 : (answered?.errcode ?? -1)));
    if (fault?.hang) return reply.hijack();
    if (fault?.cut) {
      reply.hijack();
      request.raw.socket.destroy();
      return reply;
    }
    if (fault?.status !== undefined) reply.code(fault.status);
    if (fault?.errcode === undefined) return isSpoilt ? '' : answered;
    return { errcode: fault.errcode, errmsg: fault.errmsg ?? 'fault set by hand' };
  };

  http.route({
    // Whatever the method and the path, WeCom answers 200 with an errcode (§4): a client that looks at the errcode alone
    // would take any other body for success.
    method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    url: '/cgi-bin/*',
    bodyLimit: MOST_BYTES,
    handler: handle,
    errorHandler: (error, _request, reply) => {
      if (error.code !== 'FST_ERR_CTP_BODY_TOO_LARGE') throw error;
      reply.code(200).send({ errcode: 45001, errmsg: 'media size out of limit' });
    },
  });
}

function callOf(request: FastifyRequest): ApiCall {
  const query = request.query as Record<string, string | string[]>;
  return {
    name: (request.params as { readonly '*': string })['*'],
    method: request.method,
    // Of a parameter that is given twice the first counts.
    query: Object.fromEntries(Object.entries(query).map(([key, value]) => [key, [value].flat()[0]])),
    body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
    contentType: request.headers['content-type'] ?? '',
    address: request.ip,
  };
}

/** Whether a call is to that receiver: a userid among its `touser`, a chatid, or the name of a robot. Never throws. */
function namesReceiver(
  { name, query, body }: ApiCall,
  receiver: string,
  robotOf: (key: string | undefined) => string,
): boolean {
  try {
    if (name.startsWith('webhook/')) return robotOf(query.key) === receiver;
    const { touser, chatid } = readJson(body);
    return chatid === receiver || `${touser ?? ''}`.toLowerCase().split('|').includes(receiver.toLowerCase());
  } catch (error) {
    if (error instanceof ApiError) return false;
    throw error;
  }
}
