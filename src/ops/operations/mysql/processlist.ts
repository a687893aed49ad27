import { query as form } from '../../../contract/mysql.ts';
import { listOf } from '../listing.ts';
import type { ReadOperation } from '../operation.ts';
import { listQueries, type RunningQuery } from './running-query.ts';

/** Lists what the MySQL instances of a unit are working on, longest first. */
export const processlist: ReadOperation<'mysql.processlist'> = async ({ policy, targets }, { unit }) => {
  const queries = await listOf({
    places: policy.unit(unit)?.mysql ?? [],
    nameOf: (instance) => `实例 ${instance}`,
    read: async (instance) => listQueries(targets.mysql(policy, unit, instance)),
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
};

function labelOf({ id, seconds, user, database, sql }: Omit<RunningQuery, 'fingerprint' | 'ending'>): string {
  const start = [...sql].slice(0, 40).join('');
  return `#${id}  ${seconds} 秒  ${user}@${database || '-'}  ${start}${start === sql ? '' : '…'}`;
}
