import { choice, operation } from '#menu';
import root from '../index.ts';

export default operation(root, {
  title: '取消任务',
  runs: 'k8s.jobs.cancel',
  ask: { job: choice('请选择任务', ({ ops }, { unit }) => ops.call('k8s.jobs.list', { unit })) },
  input: ({ unit, job: { namespace, name } }) => ({ unit, namespace, name }),
});
