/** The header in which the id of a message travels from bot to ops, so that the logs of both can be read as one. */
export const traceHeader = 'x-keypad-id';

/** The id that a request carries, or undefined when it has none that is safe to write into a log. */
export function readTraceId(header: unknown): string | undefined {
  return typeof header === 'string' && /^[A-Za-z0-9-]{1,64}$/.test(header) ? header : undefined;
}
