import { integer, operation } from '#menu';
import root from '../index.ts';
import { whichDeployment } from './_deployment.ts';

export default operation(root, {
  title: '扩缩容',
  runs: 'k8s.scale',
  ask: {
    deployment: whichDeployment(),
    replicas: integer('副本数', { min: 0, max: 1000 }),
  },
  input: ({ unit, deployment: { namespace, name }, replicas }) => ({ unit, namespace, name, replicas }),
});
