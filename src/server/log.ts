import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';
import { escapeUnseen } from '../plain-text.ts';
import { createLogBrake } from './log-brake.ts';
import { HIDDEN, hideSecrets, hideSecretsInText, pathOnly, secretNames } from './redaction.ts';

/** A pino logger; `child({ id })` carries the id of one message through all its lines. */
export type Log = Logger;

/** How much is written, and where: standard output unless a test says otherwise. */
export interface LogOptions {
  readonly level: string;
  readonly destination?: DestinationStream;
}

/**
 * JSON lines without secrets: fields are hidden by their name at any depth, queries, logins and tokens inside of texts
 * by their shape; what a terminal would obey or not show is escaped. Warnings and errors that repeat are braked (log-brake.ts). Hand it to Fastify as `loggerInstance`.
 */
export function createLog({ level, destination }: LogOptions): Log {
  const brake = createLogBrake();
  const hidden = Object.fromEntries(secretNames.map((name) => [name, () => HIDDEN]));
  const options = {
    level,
    timestamp: stdTimeFunctions.isoTime,
    // Fields that are bound to a child logger pass through the serializers only, not through `formatters.log`.
    serializers: {
      ...hidden,
      err: (e: unknown) => describeError(e, 0),
      error: (e: unknown) => describeError(e, 0),
      req: describeRequest,
    },
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (fields: Record<string, unknown>) => hideSecrets(fields) as Record<string, unknown>,
    },
    hooks: {
      streamWrite: (line: string) => escapeUnseen(hideSecretsInText(line)),
      logMethod: brake.logMethod,
    },
  };
  // Before the one of the destination, which writes out what it has.
  if (destination === undefined) process.once('exit', brake.flush);
  // Under load many lines share a write; none waits longer than a tenth of a second, and the exit flushes.
  const batched = () => pino.destination({ dest: 1, sync: false, minLength: 4096, periodicFlush: 100 });
  return pino(options, destination ?? batched());
}

const CAUSES = 3;

/** Name, message, codes, stack and causes; nothing else, since clients hang whole requests on their errors. */
function describeError(error: unknown, depth: number): unknown {
  if (!(error instanceof Error)) return hideSecrets(error);
  const { name, message, stack, cause } = error;
  const { code, errcode, statusCode } = { ...error } as Readonly<Record<string, unknown>>;
  const codes = Object.entries({ code, errcode, statusCode });
  return {
    type: name,
    message,
    ...Object.fromEntries(codes.filter(([, value]) => ['string', 'number'].includes(typeof value))),
    stack,
    ...(cause !== undefined && depth < CAUSES && { cause: describeError(cause, depth + 1) }),
  };
}

function describeRequest({
  method,
  url,
  source,
}: {
  method?: string;
  url?: string;
  source?: string;
}): unknown {
  return { method, path: pathOnly(url), source };
}
