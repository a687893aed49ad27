import type { ReadOperation } from '../operation.ts';
import { listQueries, type RunningQuery } from './running-query.ts';

/** Lists what the MySQL instances of a unit are working on, longest first. */
export const processlist: ReadOperation<'mysql.processlist'> = async ({ policy, targets }, { unit }) => {
  const instances = policy.unit(unit)?.mysql ?? [];
  const lists = await Promise.all(
    instances.map(async (instance) => {
      const running = await listQueries(targets.mysql(policy, unit, instance));
      return running.map(({ fingerprint: query, ending, ...shown }) => ({
        ...shown,
        instance,
        query,
        key: `${instance}:${shown.id}:${query}`,
        name: `#${shown.id}`,
        label: labelOf(shown),
      }));
    }),
  );
  return lists.flat().sort((a, b) => b.seconds - a.seconds);
};

function labelOf({ id, seconds, user, database, sql }: Omit<RunningQuery, 'fingerprint' | 'ending'>): string {
  const start = [...sql].slice(0, 40).join('');
  return `#${id}  ${seconds} 秒  ${user}@${database || '-'}  ${start}${start === sql ? '' : '…'}`;
}
