import type { FastifyRequest } from 'fastify';
import { readValue } from '../content/read-value.ts';
import type { Admitted } from './admission.ts';
import { isContentType, readJson } from './read-body.ts';
import { type Answer, type Ask, type Route, refuse } from './route.ts';

/** The answer of a route to a request that was let in: its scope, its query and its body are checked, then it is asked. */
export async function answerTo(
  route: Route,
  request: FastifyRequest,
  { caller, bodyHash, raw, closing }: Pick<Ask, 'raw'> & Admitted & { readonly closing: AbortSignal },
): Promise<Answer> {
  if (route.scope !== undefined && !caller.scopes.allows(route.scope)) {
    return refuse(
      403,
      `This route takes the scope ${route.scope}, which the app "${caller.app}" does not have.`,
    );
  }
  const { 'content-type': contentType = '' } = request.headers;
  if (route.body !== undefined && !isContentType(contentType, 'application/json')) {
    return refuse(415, 'This route reads JSON; send it with Content-Type: application/json.');
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
