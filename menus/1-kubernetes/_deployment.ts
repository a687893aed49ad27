import { choice } from '#menu';

/** The question that most entries here begin with. */
export const whichDeployment = () =>
  choice('请选择部署', ({ ops }, { unit }: { unit: string }) => ops.call('k8s.deployments.list', { unit }));
