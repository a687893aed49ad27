import { DEFAULT_ACCOUNT, type Lane, lanes, type Receiver, type ReceiverKind } from '../content/message.ts';

/**
 * The name of the line in which what goes to a receiver in a lane stands: first come, first served. Each account has
 * lines of its own, `normal:shop/user:anna`; those of the default one are `normal:user:anna`.
 */
export function lineOf(lane: Lane, receiver: Receiver, account: string): string {
  return account === DEFAULT_ACCOUNT ? `${lane}:${receiver}` : `${lane}:${account}/${receiver}`;
}

/** The lines of a receiver in the other lanes. */
export function otherLines(lane: Lane, receiver: Receiver, account: string): readonly string[] {
  return lanes.filter((other) => other !== lane).map((other) => lineOf(other, receiver, account));
}

/** The lane of a line that {@link lineOf} named. */
export function laneOf(line: string): Lane {
  return lanes.find((lane) => line.startsWith(`${lane}:`)) ?? 'bulk';
}

/** What kind of receiver it is, and what WeCom calls it: a userid, an id, a chatid, or our name of a robot. */
export function readReceiver(receiver: Receiver): { readonly kind: ReceiverKind; readonly id: string } {
  const colon = receiver.indexOf(':');
  return { kind: receiver.slice(0, colon) as ReceiverKind, id: receiver.slice(colon + 1) };
}
