import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ApiAnswer, type ApiCall, type ApiName, apiNames } from './api-call.ts';
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
    readonly record: (name: ApiName, errcode: number) => void;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { answer, faults, robotOf, record, signal } = options;
  // Whatever the content type says, WeCom reads JSON; a body that is none is the API's to refuse.
  http.removeAllContentTypeParsers();
  http.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  const handle = async (name: ApiName, request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const call = callOf(name, request);
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

  for (const name of apiNames) {
    http.route({
      method: ['GET', 'POST'],
      url: `/cgi-bin/${name}`,
      bodyLimit: MOST_BYTES,
      handler: (request, reply) => handle(name, request, reply),
    });
  }
}

function callOf(name: ApiName, request: FastifyRequest): ApiCall {
  return {
    name,
    method: request.method,
    query: request.query as Record<string, string | undefined>,
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
