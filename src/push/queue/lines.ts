import { DEFAULT_ACCOUNT, type Lane, lanes, type Receiver } from '../content/message.ts';

/** A receiver as its limits know it: with the account that sends to it, unless that is the default one. */
export function targetOf(receiver: Receiver, account: string): string {
  return account === DEFAULT_ACCOUNT ? receiver : `${account}/${receiver}`;
}

/**
 * The name of the line in which what goes to a receiver in a lane stands: first come, first served. Each account has
 * lines of its own, `normal:shop/user:anna`; those of the default one are `normal:user:anna`.
 */
export function lineOf(lane: Lane, receiver: Receiver, account: string): string {
  return `${lane}:${targetOf(receiver, account)}`;
}

/** The lines of the same receiver in the other lanes. */
export function otherLines(line: string): readonly string[] {
  const target = line.slice(line.indexOf(':'));
  return lanes.map((lane) => `${lane}${target}`).filter((other) => other !== line);
}

/** The lane of a line that {@link lineOf} named. */
export function laneOf(line: string): Lane {
  return lanes.find((lane) => line.startsWith(`${lane}:`)) ?? 'bulk';
}

/** The account of a line that {@link lineOf} named, or of its beginning up to the receiver's id; empty for a robot. */
export function accountOfLine(line: string): string {
  const [, kind = ''] = line.split(':');
  const slash = kind.indexOf('/');
  if (slash >= 0) return kind.slice(0, slash);
  return kind === 'robot' ? '' : DEFAULT_ACCOUNT;
}

/** Whether a receiver is a group robot, which calls WeCom by a key of its own. */
export function isRobot(receiver: Receiver): boolean {
  return receiver.startsWith('robot:');
}

/** The account under which a delivery is kept: group robots belong to none, and stand under the default. */
export function accountOf(receiver: Receiver, account: string = DEFAULT_ACCOUNT): string {
  return isRobot(receiver) ? DEFAULT_ACCOUNT : account;
}
