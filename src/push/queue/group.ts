import { contentFor } from '../content/compose.ts';
import type { Content } from '../content/content.ts';
import { type NewMessage, type NewReceiver, readReceiver } from '../content/message.ts';
import type { Candidate, OutgoingMessage } from './claim-store.ts';

/** Stands for each receiver's own userid in a template; JSON leaves these signs as they are. */
const USERID = '$' + '{USERID}';

/** How many of each kind one message/send may name (§4.2). */
const LIMITS = { user: 1000, party: 100, tag: 100 } as const;

/** Whether the call that sends a message to this receiver may name others as well; `content` is its JSON. */
export function canShare(
  { receivers, variables: common }: NewMessage,
  content: string,
  { receiver, variables }: NewReceiver,
): boolean {
  if (receivers.length === 1 || variables !== undefined) return false;
  if (common !== undefined && content.includes(USERID)) return false;
  return receiver !== 'user:@all' && readReceiver(receiver).kind in LIMITS;
}

/** So many deliveries of messages to many one claim takes in. */
export const MOST = 2000;

/**
 * Those who begin calls now, first come first: a claim that takes in too many is not over before its leases are. Of
 * messages to many the first is always among them.
 */
export function takeIn(
  heads: readonly Candidate[],
  due: readonly string[],
  messages: ReadonlyMap<string, OutgoingMessage>,
): readonly Candidate[] {
  const places = new Map(due.map((line, index) => [line, index]));
  const inOrder = heads.toSorted((one, other) => (places.get(one.line) ?? 0) - (places.get(other.line) ?? 0));
  const chosen = new Map<string, boolean>();
  let sum = 0;
  return inOrder.filter(({ message_id, shared }) => {
    if (shared === 0) return true;
    const known = chosen.get(message_id);
    if (known !== undefined) return known;
    const receivers = messages.get(message_id)?.receivers ?? 1;
    const isIn = sum === 0 || sum + receivers <= MOST;
    if (isIn) sum += receivers;
    chosen.set(message_id, isIn);
    return isIn;
  });
}

/**
 * Puts deliveries that one call can serve together: of one message, with the same words for all, as far along as each
 * other. Every group begins with one of `leaders`; who fits in no such group is left for later.
 */
export function groupDeliveries(
  outgoingMessage: OutgoingMessage,
  leaders: readonly Candidate[],
  siblings: readonly Candidate[],
): readonly (readonly [Candidate, ...Candidate[]])[] {
  const free = new Map([...leaders, ...siblings].map((each) => [each.id, each]));
  const groups: [Candidate, ...Candidate[]][] = [];
  for (const leader of leaders) {
    if (!free.delete(leader.id)) continue;
    const group: [Candidate, ...Candidate[]] = [leader];
    groups.push(group);
    if (leader.shared === 0) continue;
    const room: Record<string, number> = { ...LIMITS };
    const take = (kind: string): boolean => {
      const left = room[kind] ?? 0;
      room[kind] = left - 1;
      return left > 0;
    };
    take(readReceiver(leader.receiver).kind);
    for (const each of free.values()) {
      if (each.shared === 0 || !isAsFarAlong(outgoingMessage, leader, each)) continue;
      if (!take(readReceiver(each.receiver).kind)) continue;
      group.push(each);
      free.delete(each.id);
    }
  }
  return groups;
}

/** Those whose last call nobody saw the end of go together again, so that WeCom can see that the call is the same. */
function isAsFarAlong({ content }: OutgoingMessage, one: Candidate, other: Candidate): boolean {
  return (
    one.parts === other.parts &&
    one.lost_at === other.lost_at &&
    isPlain(content, one) === isPlain(content, other)
  );
}

function isPlain(content: Content, { receiver }: Candidate): boolean {
  return 'markdown' in content && contentFor(content, receiver) !== content;
}
