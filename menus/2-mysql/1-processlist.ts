import { action, table } from '#menu';
import root from '../index.ts';

export default action(root, {
  title: '当前连接',
  needs: 'mysql.processlist',
  run: async ({ ops }, { unit }) => {
    const queries = await ops.call('mysql.processlist', { unit });
    return table(queries, (q) => `#${q.id} ${q.user}@${q.database} ${q.seconds} 秒\n  语句 ${q.sql}`);
  },
});
