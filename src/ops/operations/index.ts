/** What an author of operations imports as `#operations`. */
export { instance, kubernetesName, type Risk, type Unread, unit } from '../../contract/operation.ts';
export { InputError, mayHaveArrived, Refused } from '../../errors.ts';
export { codeOf } from '../../server/mysql-errors.ts';
export { hideAssigned, hideKeys } from '../assigned-secrets.ts';
export { cutShort, listOf } from '../listing.ts';
export { MOST_REPLICAS } from '../policy/document.ts';
export { TargetFailed } from '../target-failed.ts';
export type { Cluster } from '../targets/cluster.ts';
export type { MysqlServer } from '../targets/mysql-server.ts';
export { encoded, type Service } from '../targets/service.ts';
export {
  type ChangeOperation,
  type ConfirmedChange,
  type Context,
  change,
  type Finding,
  type Inspection,
  type Observation,
  type ReadOperation,
  read,
} from './operation.ts';
