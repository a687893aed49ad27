import type { FastifyRequest } from 'fastify';
import * as z from 'zod';
import { InputError } from '../../errors.ts';
import { isDatabaseAway } from '../../server/mysql-errors.ts';
import { readValue } from '../content/read-value.ts';
import { isContentType, readJson } from './read-body.ts';
import { type Answer, type Ask, Refusal, type Route } from './route.ts';

/** A query or body that says nothing, of routes that take none: what is requested there would be left undone in silence. */
const nothing = z.strictObject({});

/** The answer of a route to a request that was let in: its scope, its query and its body are checked first. */
export async function answerTo(
  route: Route,
  request: FastifyRequest,
  ask: Pick<Ask, 'caller' | 'bodyHash' | 'raw' | 'closing'>,
): Promise<Answer> {
  const { app, scopes } = ask.caller;
  if (route.scope !== undefined && !scopes.allows(route.scope)) {
    throw new Refusal(
      403,
      `This route takes the scope ${route.scope}, which the app "${app}" does not have.`,
    );
  }
  const { 'content-type': contentType = '' } = request.headers;
  const types = Object.keys(route.accepts);
  // Any bytes are an octet stream, whatever they are called.
  const isAnything = types.length === 0 || types.includes('application/octet-stream');
  if (!isAnything && !types.some((type) => isContentType(contentType, type))) {
    throw new Refusal(415, `This route reads ${types.join(' or ')}; name it in the header Content-Type.`);
  }
  return route.handle({
    ...ask,
    params: request.params as Readonly<Record<string, string>>,
    query: readValue(route.query ?? nothing, request.query, 'the query'),
    body: readBody(route, ask.raw),
    contentType,
  });
}

function readBody({ body, accepts }: Route, raw: Ask['raw']): unknown {
  const isRaw = !Buffer.isBuffer(raw) || (body === undefined && Object.keys(accepts).length > 0);
  if (isRaw || (body === undefined && raw.length === 0)) return undefined;
  return readValue(body ?? nothing, readJson(raw), 'the body');
}

/** What is answered to what a route threw. An error that is not the caller's fault is logged under the id of the request. */
export function refusalOf(
  error: Error & { readonly statusCode?: number },
  { id, log }: Pick<FastifyRequest, 'id' | 'log'>,
): Refusal {
  const { statusCode = 500 } = error;
  if (error instanceof Refusal) return error;
  if (error instanceof InputError) return new Refusal(400, error.message);
  if (statusCode === 415)
    return new Refusal(415, 'The Content-Type is none; send JSON with application/json.');
  if (statusCode < 500)
    return new Refusal(400, 'The request is malformed; check its length and its headers.');
  log.error({ err: error }, 'request failed');
  if (isDatabaseAway(error))
    return new Refusal(503, 'The database of message delivery is away; try again in a moment.');
  return new Refusal(500, `Something went wrong here; the log tells more under ${id}.`);
}
