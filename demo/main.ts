import { delimiter } from 'node:path';
import { withoutSettings } from '../src/config.ts';
import { explain } from './failure.ts';
import { readPorts } from './servers/ports.ts';
import { type Demo, startDemo } from './start.ts';

const DIRECTORY = '.demo';

/**
 * `npm run demo`, and `npm run dev` with --watch. Starts the demo and runs until Ctrl-C, SIGTERM, a closed terminal, or the end of one of
 * its processes.
 */
async function main(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const stopping = Promise.withResolvers<number>();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => stopping.resolve(0));
  const isWatched = argv.includes('--watch');
  const demo = await startDemo({
    directory: DIRECTORY,
    ports: readPorts(env.DEMO_PORT),
    own: env.KUBECONFIG ? { kubeconfig: env.KUBECONFIG, environment: withoutSettings(env) } : undefined,
    isWatched,
    say: (text) => console.error(text),
  });
  let isStopping = false;
  for (const [name, { process: child }] of Object.entries(demo.processes)) {
    child.once('exit', () => {
      if (isStopping) return;
      console.error(`${name} has ended; its last lines are in ${DIRECTORY}/logs. Stopping.`);
      stopping.resolve(1);
    });
  }
  console.log(ready(demo));
  if (isWatched) console.log(WATCHING);
  process.exitCode = await stopping.promise;
  isStopping = true;
  await demo.stop();
  process.exit();
}

const WATCHING = `  A role restarts when a file of src changes that it uses; menus and the policy are read again by themselves.
  What a role says, also when it cannot start: tail -f ${DIRECTORY}/logs/*.log
`;

function ready({ env }: Demo): string {
  const [, ...behind] = env.KUBECONFIG?.split(delimiter) ?? [];
  const kubectl =
    behind.length === 0
      ? `kubectl --kubeconfig ${DIRECTORY}/kubeconfig`
      : `KUBECONFIG=${DIRECTORY}/kubeconfig:${behind.join(delimiter)} kubectl`;
  return `
  Keypad is running.

    Phone       ${env.PHONE_URL}
    Callback    ${env.BOT_CALLBACK_URL}
    Push API    ${env.PUSH_URL}/v1   (PUSH_APP_ID and PUSH_APP_KEY are in the settings)
    Kubeconfig  ${DIRECTORY}/kubeconfig   (${kubectl} get deployments,pods -A)
    Settings    ${DIRECTORY}/env          Logs  ${DIRECTORY}/logs

  Open the phone, type anything, then follow the numbers. Ctrl-C stops everything.
`;
}

main(process.argv, process.env).catch((error: unknown) => {
  console.error(explain(error));
  process.exit(1);
});
