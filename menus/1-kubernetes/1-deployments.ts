import { action, table } from '#menu';
import root from '../index.ts';

export default action(root, {
  title: '查看部署',
  needs: 'k8s.deployments.list',
  run: async ({ ops }, { unit }) => table(await ops.call('k8s.deployments.list', { unit })),
});
