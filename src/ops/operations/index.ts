import type { ChangeName, ReadName } from '../../contract/index.ts';
import { listDeployments } from './kubernetes/list-deployments.ts';
import { listPods } from './kubernetes/list-pods.ts';
import { restart } from './kubernetes/restart.ts';
import { scale } from './kubernetes/scale.ts';
import { kill } from './mysql/kill.ts';
import { processlist } from './mysql/processlist.ts';
import type { ChangeOperation, ReadOperation } from './operation.ts';

/** Every read of the contract; one that is missing here is a type error. */
export const reads: { readonly [N in ReadName]: ReadOperation<N> } = {
  me: async ({ policy, subject }) => Object.fromEntries(policy.rights(subject)),
  // In the order of the policy.
  'units.list': async ({ policy, subject }) => policy.rights(subject).map(([unit]) => unit),
  'k8s.deployments.list': listDeployments,
  'k8s.pods.list': listPods,
  'mysql.processlist': processlist,
};

/** Every change of the contract; one that is missing here is a type error. */
export const changes: { readonly [N in ChangeName]: ChangeOperation<N> } = {
  'k8s.scale': scale,
  'k8s.restart': restart,
  'mysql.kill': kill,
};
