import { type Call, countParameter, find, isSet, parameter } from './call.ts';
import { logOf, type Speech } from './container-log.ts';
import { badRequest } from './failure.ts';
import { stamp } from './json.ts';
import type { Pod } from './shapes.ts';
import type { Stream } from './streams.ts';
import type { World } from './world.ts';

/** A log as it was requested: the lines so far, and how to follow it. */
export interface LogRequest {
  readonly text: string;
  /** Writes new lines until the container or its pod is gone; undefined when nobody follows. */
  readonly follow: ((stream: Stream) => void) | undefined;
}

/** Reads a log request. Throws 400 when the container is unknown or has not started. */
export function readLog(world: World, call: Call, speech: Speech): LogRequest {
  const pod = find(world.store, 'pods', call);
  const name = parameter(call, 'container') || pod.spec.containers[0]?.name;
  const container = pod.spec.containers.find((each) => each.name === name);
  if (container === undefined) throw badRequest(`container ${name} is not valid for pod ${call.name}`);
  if (isSet(call, 'previous')) {
    throw badRequest(`previous terminated container "${name}" in pod "${call.name}" not found`);
  }
  let log = logOf(pod, container, speech);
  const isDated = isSet(call, 'timestamps');
  const print = (index: number): string =>
    `${isDated ? `${stamp(new Date(log.at(index)))} ` : ''}${log.line(index)}\n`;
  const said = log.count(world.now().getTime());
  const first = Math.max(0, said - log.kept);
  const since = sinceWhen(world, call);
  const indexes = Array.from({ length: said - first }, (_, index) => first + index);
  const recent = indexes.filter((index) => log.at(index) >= since);
  const tail = countParameter(call, 'tailLines') ?? recent.length;
  const lines = recent.slice(Math.max(0, recent.length - tail)).map(print);
  const text = shortened(lines.join(''), countParameter(call, 'limitBytes'));
  if (!isSet(call, 'follow')) return { text, follow: undefined };

  const follow = (stream: Stream): void => {
    let next = said;
    const goOn = (): void => {
      for (const until = log.count(world.now().getTime()); next < until; next += 1) stream.write(print(next));
      if (log.isClosed) stream.end();
    };
    const clock = setInterval(goOn, 1000).unref();
    const unsubscribe = world.store.subscribe(({ type, object }) => {
      if (object.metadata.uid !== pod.metadata.uid) return;
      log = logOf(object as Pod, container, speech);
      goOn();
      if (type === 'DELETED') stream.end();
    });
    stream.onEnd(() => {
      clearInterval(clock);
      unsubscribe();
    });
    goOn();
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
