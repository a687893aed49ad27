import { KubeConfig } from '@kubernetes/client-node';
import { InputError } from '../src/errors.ts';

/**
 * The current context of somebody's kubeconfig under the name `demo`, which is what the example policy calls it.
 * Throws `InputError` when the file cannot be read or has no current context.
 */
export function asDemoContext(file: string): string {
  const config = new KubeConfig();
  try {
    config.loadFromFile(file);
  } catch (error) {
    throw new InputError(
      `KUBECONFIG=${file} cannot be read: ${error instanceof Error ? error.message : error}`,
    );
  }
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  if (cluster === null || user === null) throw new InputError(`KUBECONFIG=${file} has no current context.`);
  config.loadFromClusterAndUser({ ...cluster, name: 'demo' }, { ...user, name: 'demo' });
  config.contexts = [{ cluster: 'demo', user: 'demo', name: 'demo' }];
  config.currentContext = 'demo';
  return config.exportConfig();
}
