import { badRequest } from './failure.ts';
import { isHindrance, runOf } from './job-images.ts';
import { stamp } from './json.ts';
import { endsByItself, stateOf } from './pod-status.ts';
import type { Pod } from './shapes.ts';

/** The log lines that an application writes in turn; `{n}` is replaced by a counter. */
export type Speech = (application: string) => readonly string[];

/** What a container has written. Lines are counted from 0; moments are in milliseconds. */
export interface ContainerLog {
  /** How many lines there are by then. */
  count(moment: number): number;
  /** Since when a line is there. */
  at(index: number): number;
  line(index: number): string;
  /** How many lines are kept, the latest. */
  readonly kept: number;
  /** Whether nothing more will come. */
  readonly isClosed: boolean;
}

type Container = Pod['spec']['containers'][number];

type OpenLog = Omit<ContainerLog, 'isClosed'>;

/** Seconds between two lines of a service. */
const pace = 5;

/** The log of a container. Throws 400 when it has not started. */
export function logOf(pod: Pod, container: Container, speech: Speech): ContainerLog {
  const { startedAt, finishedAt } = timesOf(pod, container.name);
  const log = endsByItself(pod)
    ? logOfRun(pod, container, startedAt)
    : logOfService(container, speech(pod.metadata.labels?.app ?? container.name), startedAt);
  const isClosed = finishedAt < Number.POSITIVE_INFINITY;
  return { ...log, isClosed, count: (moment) => log.count(Math.min(moment, finishedAt)) };
}

/** A service says something every few seconds, for ever. */
function logOfService({ image }: Container, says: readonly string[], startedAt: number): OpenLog {
  const at = (index: number) => startedAt + index * pace * 1000;
  return {
    kept: 1000,
    count: (moment) => Math.floor((moment - startedAt) / (pace * 1000)) + 1,
    at,
    line: (index) => {
      const said = index === 0 ? `starting ${image}` : says[index % says.length];
      return `${stamp(new Date(at(index)))} INFO ${said?.replace('{n}', `${(index * 7919) % 10_000}`)}`;
    },
  };
}

/** What ends by itself spreads its lines over its time: the first at the start, the last at the end. */
function logOfRun(pod: Pod, container: Container, startedAt: number): OpenLog {
  const run = runOf(pod, container);
  const { lines, seconds } = isHindrance(run) ? { lines: [], seconds: 0 } : run;
  const step = (seconds * 1000) / Math.max(1, lines.length - 1);
  return {
    kept: lines.length,
    count: (moment) =>
      step === 0 ? lines.length : Math.min(lines.length, Math.floor((moment - startedAt) / step) + 1),
    at: (index) => startedAt + index * step,
    line: (index) => lines[index] ?? '',
  };
}

/** When a container started, and when it ended; in milliseconds. */
function timesOf(pod: Pod, name: string): { readonly startedAt: number; readonly finishedAt: number } {
  const { running, terminated, waiting } = stateOf(pod, name);
  if (terminated !== undefined) {
    return { startedAt: Date.parse(terminated.startedAt), finishedAt: Date.parse(terminated.finishedAt) };
  }
  if (running !== undefined) {
    return { startedAt: Date.parse(running.startedAt), finishedAt: Number.POSITIVE_INFINITY };
  }
  const reason = waiting?.reason ?? 'ContainerCreating';
  const words = reason.includes('Image') ? 'trying and failing to pull image' : reason;
  throw badRequest(`container "${name}" in pod "${pod.metadata.name}" is waiting to start: ${words}`);
}
