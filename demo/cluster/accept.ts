/** How an answer is written: as it is, or as the table that kubectl prints. */
export type Form = 'json' | 'table';

/** The first form of what `Accept` names that this server has; undefined when it has none. */
export function readAccept(accept = '*/*'): Form | undefined {
  const ranges = accept.split(',').map((range) => range.split(';').map((part) => part.trim().toLowerCase()));
  for (const [type = '', ...parameters] of ranges) {
    if (!['', '*/*', 'application/*', 'application/json'].includes(type)) continue;
    if (!parameters.some((parameter) => parameter.startsWith('as='))) return 'json';
    if (parameters.includes('as=table') && parameters.includes('v=v1')) return 'table';
  }
  return undefined;
}
