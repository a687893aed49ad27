import { choice, operation } from '#menu';
import root from '../index.ts';

export default operation(root, {
  title: '终止查询',
  runs: 'mysql.kill',
  ask: { query: choice('请选择查询', ({ ops }, { unit }) => ops.call('mysql.processlist', { unit })) },
  input: ({ unit, query: { instance, id, query } }) => ({ unit, instance, id, query }),
});
