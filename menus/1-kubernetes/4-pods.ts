import { action, table } from '#menu';
import root from '../index.ts';
import { whichDeployment } from './_deployment.ts';

export default action(root, {
  title: 'Pod 列表',
  needs: 'k8s.pods.list',
  ask: { deployment: whichDeployment() },
  run: async ({ ops }, { unit, deployment: { namespace, name } }) => {
    const pods = await ops.call('k8s.pods.list', { unit, namespace, name });
    return table(pods, ({ name, phase, ready, readyContainers, containers, restarts }) => {
      const isKnown = readyContainers !== undefined && containers !== undefined;
      const stands = isKnown ? `${readyContainers}/${containers} 就绪` : ready ? '已就绪' : '未就绪';
      return `${name}\n  状态 ${phase} ${stands}，重启 ${restarts} 次`;
    });
  },
});
