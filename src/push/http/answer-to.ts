import type { FastifyRequest } from 'fastify';
import { InputError } from '../../errors.ts';
import type { Log } from '../../server/log.ts';
import { readValue } from '../content/read-value.ts';
import { isDatabaseAway } from '../database/database.ts';
import type { Admitted } from './admission.ts';
import { isContentType, readJson } from './read-body.ts';
import { type Answer, type Ask, Refusal, type Route, refuse } from './route.ts';

/** The answer of a route to a request that was let in: its scope, its query and its body are checked, then it is asked. */
export async function answerTo(
  route: Route,
  request: FastifyRequest,
  { caller, bodyHash, raw, closing }: Pick<Ask, 'raw'> & Admitted & { readonly closing: AbortSignal },
): Promise<Answer> {
  if (route.scope !== undefined && !caller.scopes.allows(route.scope)) {
    throw new Refusal(
      403,
      `This route takes the scope ${route.scope}, which the app "${caller.app}" does not have.`,
    );
  }
  const { 'content-type': contentType = '' } = request.headers;
  if (route.body !== undefined && !isContentType(contentType, 'application/json')) {
    throw new Refusal(415, 'This route reads JSON; send it with Content-Type: application/json.');
  }
  return route.handle({
    caller,
    params: request.params as Readonly<Record<string, string>>,
    body: route.body === undefined ? undefined : readValue(route.body, readJson(raw as Buffer), 'the body'),
    query: route.query === undefined ? undefined : readValue(route.query, request.query, 'the query'),
    raw,
    contentType,
    bodyHash,
    trace: request.id,
    closing,
  });
}

/** The plain answer to what a route threw. An error that is not the caller's fault is logged under the trace id. */
export function failure(
  error: Error & { readonly statusCode?: number },
  trace: string,
  log: Pick<Log, 'error'>,
): Answer {
  if (error instanceof Refusal) return { ...refuse(error.status, error.message), headers: error.headers };
  if (error instanceof InputError) return refuse(400, error.message);
  if (error.statusCode === 413)
    return refuse(413, 'The body is too long; /v1/openapi.json tells the limits.');
  if (error.statusCode === 415)
    return refuse(415, 'The Content-Type is none; send JSON with application/json.');
  if (error.statusCode !== undefined && error.statusCode < 500) {
    return refuse(400, 'The request is malformed; check its length and its headers.');
  }
  log.error({ err: error }, 'request failed');
  if (isDatabaseAway(error))
    return refuse(503, 'The database of message delivery is away; try again in a moment.');
  return refuse(500, `Something went wrong here; the log tells more under ${trace}.`);
}
