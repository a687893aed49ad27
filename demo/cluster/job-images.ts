import type { Pod } from './shapes.ts';

type Container = Pod['spec']['containers'][number];

/** What a container does that ends by itself. */
export interface Run {
  /** What it writes, evenly over its time. */
  readonly lines: readonly string[];
  readonly seconds: number;
  readonly exitCode: number;
  readonly reason: 'Completed' | 'Error' | 'StartError';
}

/** Why a container does not start, as the kubelet names it. */
export interface Hindrance {
  readonly waiting: 'ErrImagePull' | 'CreateContainerConfigError';
  readonly message: string;
}

/** Bounds of what the image may be asked for. */
const limits = { SECONDS: 30, LINES: 200_000 } as const;

/**
 * What a container of a pod does that is not to be restarted. This cluster has no container runtime: it plays
 * `keypad-demo/report`, with any tag, and nothing else. The image writes its environment, one `NAME=value` each, and then
 * its arguments. `FAIL=1` ends it with exit code 1, `SECONDS=n` makes it take that long (30 at most), and `LINES=n` makes
 * it write as many lines of 64 bytes more (200,000 at most).
 */
export function runOf(pod: Pod, container: Container): Run | Hindrance {
  const { image, command = [], env = [] } = container;
  if (!/^keypad-demo\/report(:[\w.-]+)?$/.test(image)) {
    const message = `Failed to pull image "${image}": not found: a pod that ends may only run keypad-demo/report here`;
    return { waiting: 'ErrImagePull', message };
  }
  const strange = env.find((variable) => variable.valueFrom !== undefined)?.name;
  if (strange !== undefined || container.envFrom !== undefined) {
    const message = `${strange ?? 'envFrom'}: this cluster gives containers plain values only`;
    return { waiting: 'CreateContainerConfigError', message };
  }
  // The image has one program; a command would replace it.
  if (command.length > 0) return { lines: [], seconds: 0, exitCode: 128, reason: 'StartError' };
  return report(pod.metadata.name, container);
}

/** Whether a container is hindered. */
export function isHindrance(run: Run | Hindrance): run is Hindrance {
  return 'waiting' in run;
}

function report(hostname: string, { env = [], args = [] }: Container): Run {
  const variables = environmentOf(env);
  const shown = [...variables].map(([name, value]) => `${name}=${value}`);
  const said = [`report begins in ${hostname}`, ...shown, ...args.map((each) => expand(each, variables))];
  const begun = said.flatMap((text) => text.split('\n'));
  const wrong = Object.entries(limits).find(([name, most]) => !isUpTo(most, variables.get(name)));
  if (wrong !== undefined) {
    const problem = `${wrong[0]} must be a whole number from 0 to ${wrong[1]}`;
    return { lines: [...begun, problem], seconds: 0, exitCode: 2, reason: 'Error' };
  }
  const seconds = Number(variables.get('SECONDS') ?? 0);
  const more = Array.from({ length: Number(variables.get('LINES') ?? 0) }, (_, index) =>
    `line ${index + 1} `.padEnd(63, '.'),
  );
  const fails = variables.get('FAIL') === '1';
  const lines = [...begun, ...more, fails ? 'report failed' : 'report is complete'];
  return fails
    ? { lines, seconds, exitCode: 1, reason: 'Error' }
    : { lines, seconds, exitCode: 0, reason: 'Completed' };
}

function isUpTo(most: number, text: string | undefined): boolean {
  return text === undefined || (/^\d{1,6}$/.test(text) && Number(text) <= most);
}

/** The environment as the kubelet makes it: a value may name variables that stand before it. */
function environmentOf(env: NonNullable<Container['env']>): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  for (const { name, value = '' } of env) variables.set(name, expand(value, variables));
  return variables;
}

/** `$(NAME)` is the value of a variable that is there and stays as it is otherwise; `$$` is one `$`. */
function expand(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replace(/\$(\$|\(([^)]*)\))/g, (whole, sign: string, name: string) =>
    sign === '$' ? '$' : (variables.get(name) ?? whole),
  );
}
