import { InputError } from '../../errors.ts';
import type { Log } from '../../server/log.ts';
import { isDatabaseAway } from '../database/database.ts';
import { type Answer, refuse } from './route.ts';

/** The plain answer to what a route threw. What is nobody's fault who asked is logged under the trace id. */
export function failure(
  error: Error & { readonly statusCode?: number },
  trace: string,
  log: Pick<Log, 'error'>,
): Answer {
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
