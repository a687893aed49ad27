import * as z from 'zod';
import { listOf, read, unit } from '#operations';
import { listQueries, type RunningQuery, runningQuery } from './_running-query.ts';

/** One running connection. `key` names this very query, not just the connection: it changes with the next query. */
const form = z.object({
  key: z.string(),
  label: z.string(),
  /** `#` and the connection: what may be typed for it. */
  name: z.string(),
  instance: z.string(),
  ...runningQuery,
  user: z.string(),
  database: z.string(),
  seconds: z.int(),
  sql: z.string(),
});

/** Lists what the MySQL instances of a unit are working on, longest first. */
export default read({
  title: '当前连接',
  input: z.strictObject({ unit }),
  output: z.array(form),
  async run(context, { unit }) {
    const queries = await listOf({
      places: context.instances(unit),
      nameOf: (instance) => `实例 ${instance}`,
      read: async (instance) => listQueries(context.mysql(unit, instance)),
      form,
      rowOf: ({ fingerprint: query, ending, ...shown }, instance) => ({
        ...shown,
        instance,
        query,
        key: `${instance}:${shown.id}:${query}`,
        name: `#${shown.id}`,
        label: labelOf(shown),
      }),
    });
    return queries.sort((a, b) => b.seconds - a.seconds);
  },
});

function labelOf({ id, seconds, user, database, sql }: Omit<RunningQuery, 'fingerprint' | 'ending'>): string {
  const start = [...sql].slice(0, 40).join('');
  return `#${id}  ${seconds} 秒  ${user}@${database || '-'}  ${start}${start === sql ? '' : '…'}`;
}
