import { operation } from '#menu';
import root from '../index.ts';
import { whichDeployment } from './_deployment.ts';

export default operation(root, {
  title: '重启部署',
  runs: 'k8s.restart',
  ask: { deployment: whichDeployment() },
  input: ({ unit, deployment: { namespace, name } }) => ({ unit, namespace, name }),
});
