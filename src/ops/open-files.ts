import type { OpsConfig } from '../config.ts';
import type { Log } from '../server/log.ts';
import type { Clock } from './clock.ts';
import { createCommands } from './declared/commands.ts';
import { createDeclared } from './declared/index.ts';
import { logOfRequest } from './http/routes.ts';
import { openConnections } from './kubeconfig/connections.ts';
import type { OpsMetrics } from './metrics.ts';
import { openOperations } from './operations/generations.ts';
import type { NamedOperation } from './operations/load.ts';
import { loadPolicy } from './policy/file.ts';
import type { Grantable } from './policy/policy.ts';
import { openTargets } from './targets/targets.ts';

interface FileParts {
  readonly config: Pick<
    OpsConfig,
    'operationsDir' | 'commandUser' | 'policyFile' | 'kubeconfig' | 'pluginEnvironment' | 'mysqlTargets'
  >;
  readonly log: Log;
  readonly metrics: Pick<OpsMetrics, 'operations' | 'reload'>;
  readonly clock: Clock;
  /** Tells these what is wrong with a file that has changed. */
  notifyAdmins(admins: readonly string[], problems: readonly string[]): Promise<void>;
  onError(error: unknown): void;
}

/** What the platform reads anew while it runs. */
export type OpsFiles = Awaited<ReturnType<typeof openFiles>>;

/**
 * Opens operations, kubeconfig and policy, and follows their changes: each is checked against the others, and a bad one
 * is told to log, metrics and admins while the old one goes on. Throws a ConfigError when one is bad at the start.
 */
export async function openFiles({ config, log, metrics, clock, notifyAdmins, onError }: FileParts) {
  const eventsOf = (what: 'policy' | 'kubeconfig' | 'operations') => ({
    accepted(isNew: boolean) {
      metrics.reload(what, 'accepted');
      if (isNew) log.info(`the ${what} has changed`);
    },
    refused(problems: readonly string[]) {
      metrics.reload(what, 'refused');
      log.error({ problems }, `the new ${what} is refused, the old one goes on`);
      notifyAdmins(policy.current().admins, problems).catch(onError);
    },
  });
  const commands = createCommands({ folder: config.operationsDir, user: config.commandUser });
  const operations = await openOperations(
    config.operationsDir,
    createDeclared({ environment: config.pluginEnvironment.reveal(), commands }),
    {
      ...eventsOf('operations'),
      accepted(isNew) {
        eventsOf('operations').accepted(isNew);
        metrics.operations(operationNames());
        // What the policy says of their names may be true, or false, only now.
        if (isNew) policy.reload();
      },
    },
  );
  const operationNames = (): readonly string[] => operations.current.all().map(({ name }) => name);
  metrics.operations(operationNames());
  const connections = await openConnections({
    kubeconfig: config.kubeconfig,
    environment: config.pluginEnvironment.reveal(),
    clock,
    inUse: () => policy.current().contexts,
    events: {
      ...eventsOf('kubeconfig'),
      accepted() {
        eventsOf('kubeconfig').accepted(true);
        // A policy may have been refused for what was missing.
        policy.reload();
      },
      onError,
    },
  });
  const targets = openTargets({
    connections,
    mysqlUrls: config.mysqlTargets.reveal(),
    onFailure: (what, name, err) =>
      (logOfRequest.getStore() ?? log).warn(
        { [what]: name, err },
        `${what === 'instance' ? 'an' : 'a'} ${what} failed`,
      ),
  });
  const policy = loadPolicy(
    config.policyFile,
    () => ({ ...targets.names, operations: operations.current.all().map(grantableOf) }),
    {
      ...eventsOf('policy'),
      accepted(isNew) {
        eventsOf('policy').accepted(isNew);
        warnOfNames();
      },
    },
  );
  /** An operation may be written before the policy, which another person changes, has its services and units. */
  const warnOfNames = (): void => {
    const missing = operations.current.all().flatMap(({ file, operation }) => {
      const { services = [], units = [] } = operation;
      const names = [
        ...services.filter((name) => !policy.current().services.has(name)),
        ...units.filter((name) => policy.current().unit(name) === undefined),
      ];
      return names.map((name) => `${file}: ${name}`);
    });
    if (missing.length === 0) return;
    log.warn({ missing }, 'the policy has no such services or units, so nobody has these operations there');
  };
  warnOfNames();
  return {
    operations: operations.current,
    policy: policy.current,
    policyGeneration: policy.generation,
    targets,
    /** The programs of operations. */
    commands,
    start: connections.start,
    /** Reads all of them again. */
    async reload(): Promise<void> {
      await operations.reload();
      await connections.reload();
      policy.reload();
    },
    async close(): Promise<void> {
      policy.close();
      operations.close();
      await Promise.all([targets.close(), commands.close()]);
    },
  };
}

function grantableOf({ name, operation: { units, needs, services } }: NamedOperation): Grantable {
  return { name, units, needs, services };
}
