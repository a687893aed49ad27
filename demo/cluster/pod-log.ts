import { type Call, countParameter, find, isSet, parameter } from './call.ts';
import { badRequest } from './failure.ts';
import { stamp } from './json.ts';
import type { Pod } from './shapes.ts';
import type { Stream } from './streams.ts';
import type { World } from './world.ts';

/** The log lines that an application writes in turn; `{n}` is replaced by a counter. */
export type Speech = (application: string) => readonly string[];

/** A log as it was requested: the lines so far, and how to follow it. */
export interface LogRequest {
  readonly text: string;
  /** Writes new lines until the pod is gone; undefined when nobody follows. */
  readonly follow: ((stream: Stream) => void) | undefined;
}

/** Seconds between two lines of a log. */
const pace = 5;
/** A container's log is rotated: more lines than this are not kept. */
const kept = 1000;

/** Reads a log request. Throws 400 when the container is unknown or has not started. */
export function readLog(world: World, call: Call, speech: Speech): LogRequest {
  const pod = find(world.store, 'pods', call);
  const name = parameter(call, 'container') || pod.spec.containers[0]?.name;
  const container = pod.spec.containers.find((each) => each.name === name);
  if (container === undefined) throw badRequest(`container ${name} is not valid for pod ${call.name}`);
  if (isSet(call, 'previous')) {
    throw badRequest(`previous terminated container "${name}" in pod "${call.name}" not found`);
  }
  const startedAt = startOf(pod, container.name);
  const says = speech(pod.metadata.labels?.app ?? container.name);
  const dated = isSet(call, 'timestamps');
  const since = sinceWhen(world, call);
  const tail = countParameter(call, 'tailLines') ?? kept;
  const until = (now: Date) => Math.floor((now.getTime() - startedAt) / (pace * 1000)) + 1;
  const line = (index: number): string => {
    const time = stamp(new Date(startedAt + index * pace * 1000));
    const said = index === 0 ? `starting ${container.image}` : says[index % says.length];
    const text = `${time} INFO ${said?.replace('{n}', `${(index * 7919) % 10_000}`)}`;
    return `${dated ? `${time} ` : ''}${text}\n`;
  };
  const count = until(world.now());
  const first = Math.max(0, count - kept, Math.ceil((since - startedAt) / (pace * 1000)));
  const indexes = Array.from({ length: Math.max(0, count - first) }, (_, index) => first + index);
  const lines = indexes.slice(Math.max(0, indexes.length - tail)).map(line);
  const text = shortened(lines.join(''), countParameter(call, 'limitBytes'));
  if (!isSet(call, 'follow')) return { text, follow: undefined };

  const follow = (stream: Stream): void => {
    let said = count;
    const clock = setInterval(() => {
      for (; said < until(world.now()); said += 1) stream.write(line(said));
    }, 1000).unref();
    const unsubscribe = world.store.subscribe(({ type, object }) => {
      if (type === 'DELETED' && object.metadata.uid === pod.metadata.uid) stream.end();
    });
    stream.onEnd(() => {
      clearInterval(clock);
      unsubscribe();
    });
  };
  return { text, follow };
}

function shortened(text: string, bytes: number | undefined): string {
  return bytes === undefined ? text : Buffer.from(text).subarray(0, bytes).toString();
}

function sinceWhen(world: World, call: Call): number {
  const seconds = countParameter(call, 'sinceSeconds');
  if (seconds !== undefined) return world.now().getTime() - seconds * 1000;
  const time = Date.parse(parameter(call, 'sinceTime') ?? '1970-01-01T00:00:00Z');
  if (Number.isNaN(time)) throw badRequest('sinceTime: not a time');
  return time;
}

/** When the container started, in milliseconds. */
function startOf(pod: Pod, name: string): number {
  const state = pod.status.containerStatuses?.find((status) => status.name === name)?.state;
  if (state?.running !== undefined) return Date.parse(state.running.startedAt);
  const reason = state?.waiting?.reason ?? 'ContainerCreating';
  const words = reason.includes('Image') ? 'trying and failing to pull image' : reason;
  throw badRequest(`container "${name}" in pod "${pod.metadata.name}" is waiting to start: ${words}`);
}
