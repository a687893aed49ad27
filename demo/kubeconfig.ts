import { delimiter, resolve } from 'node:path';
import { stringify } from 'yaml';
import * as z from 'zod';
import type { Environment } from '../src/config.ts';
import { InputError } from '../src/errors.ts';
import { loadKubeconfig } from '../src/ops/kubeconfig/kubeconfig.ts';
import { createReadings } from '../src/ops/kubeconfig/readings.ts';
import { readYaml } from '../src/server/yaml.ts';

/** What stands before somebody's kubeconfigs, and the paths of these. */
export interface DemoContext {
  /** A kubeconfig that has a context `demo` alone, which is what the example policy calls it. */
  readonly text: string;
  /** As in `KUBECONFIG`, from the root of the disk. */
  readonly paths: string;
}

const link = z.looseObject({ cluster: z.string(), user: z.string().optional() });
const named = z.object({ name: z.string(), context: link });
const form = z.object({
  'current-context': z.string().min(1).optional(),
  contexts: z.array(named).optional(),
});

/**
 * The current context of somebody's `KUBECONFIG` under the name `demo`: it names their cluster and their user, so what
 * these say is read from their files, by the platform itself. Throws a ConfigError or an InputError when the platform
 * could not use it, or there is none.
 */
export async function asDemoContext(kubeconfig: string): Promise<DemoContext> {
  const files = kubeconfig.split(delimiter).filter((path) => path !== '');
  const paths = files.map((path) => resolve(path)).join(delimiter);
  const { read } = createReadings();
  const contexts = await loadKubeconfig(paths, read);
  const texts = await Promise.all(paths.split(delimiter).map(read));
  const found = texts.map((text) => form.safeParse(readYaml(text ?? '', { schema: 'failsafe' })).data ?? {});
  const current = found.map((file) => file['current-context']).find((name) => name !== undefined);
  if (current === undefined) throw new InputError(`KUBECONFIG=${kubeconfig} has no current context.`);
  const context = contexts.get(current) ?? { problem: `KUBECONFIG has no context "${current}"` };
  if ('problem' in context) throw new InputError(context.problem);
  const entry = found.flatMap((file) => file.contexts ?? []).find(({ name }) => name === current);
  const demo = { name: 'demo', context: entry?.context };
  const text = stringify({ apiVersion: 'v1', kind: 'Config', contexts: [demo], 'current-context': 'demo' });
  return { text, paths };
}

/** The kubeconfig of the demo: of its own cluster, which is started, or what stands before the user's. */
export async function kubeconfigFor(
  own: { readonly kubeconfig: string; readonly environment: Environment } | undefined,
  start: () => Promise<{ readonly kubeconfig: string }>,
) {
  if (own === undefined) return { text: (await start()).kubeconfig, behind: [], environment: {} };
  const { text, paths } = await asDemoContext(own.kubeconfig);
  const variables = Object.entries(own.environment).filter((entry): entry is [string, string] => !!entry[1]);
  return { text, behind: [paths], environment: Object.fromEntries(variables) };
}
