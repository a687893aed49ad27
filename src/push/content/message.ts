import type { Content } from './content.ts';
import type { Opaque } from './opaque.ts';

/** The account that needs no name: the app of the `WECOM_*` variables. */
export const DEFAULT_ACCOUNT = 'default';

/** Lanes by rank: what stands first goes first. Each has a queue and workers of its own. */
export const lanes = ['alert', 'normal', 'bulk'] as const;
export type Lane = (typeof lanes)[number];

/** How far one delivery is: to one receiver, of one message. */
export const deliveryStates = [
  'queued', // waits for its turn, for a limit, or for its time
  'sending', // somebody holds the lease and is calling WeCom
  'sent', // WeCom has taken it
  'failed', // WeCom refuses it for good
  'dead', // tried as often as it may be
  'recalled', // taken back, before or after it was sent
  'cancelled', // its campaign was stopped before it was sent
] as const;
export type DeliveryState = (typeof deliveryStates)[number];

/** How far a message is; `partial`: some receivers have it and others will not get it. */
export type MessageState = DeliveryState | 'partial';

/** The state of a message out of those of its deliveries: `sending` while some are open and others not. */
export function messageStateOf(deliveries: readonly { readonly state: DeliveryState }[]): MessageState {
  const states = new Set(deliveries.map(({ state }) => state));
  const isOnly = states.size === 1;
  if (states.has('sending')) return 'sending';
  if (states.has('queued')) return isOnly ? 'queued' : 'sending';
  if (states.has('sent')) return isOnly ? 'sent' : 'partial';
  return (
    (['dead', 'failed', 'recalled', 'cancelled'] as const).find((each) => states.has(each)) ?? 'recalled'
  );
}

/** The kinds of receivers, each with the word that the API has for several of them. */
export const receiverWords = {
  user: 'users',
  party: 'departments',
  tag: 'tags',
  chat: 'chats',
  robot: 'robots',
} as const;
/** What kind of receiver stands before the colon; userids are lower case, since WeCom ignores their case (§4.8). */
export type ReceiverKind = keyof typeof receiverWords;

/** `user:zhangsan`, `user:@all`, `party:2`, `tag:7`, `chat:CHATID`, `robot:NAME`. */
export type Receiver = `${ReceiverKind}:${string}`;

/** What kind of receiver it is, and what WeCom calls it: a userid, an id, a chatid, or our name of a robot. */
export function readReceiver(receiver: Receiver): { readonly kind: ReceiverKind; readonly id: string } {
  const colon = receiver.indexOf(':');
  return { kind: receiver.slice(0, colon) as ReceiverKind, id: receiver.slice(colon + 1) };
}

/** Values for `${NAME}`. */
export type Variables = Readonly<Record<string, string>>;

/** One receiver of a message, with values of its own in a campaign. */
export interface NewReceiver {
  readonly receiver: Receiver;
  readonly variables?: Variables;
}

/** A message that was checked and may be written down. */
export interface NewMessage {
  /** The app that hands it in. */
  readonly app: string;
  /** The account that sends it; the default one when absent. */
  readonly account?: string | undefined;
  readonly lane: Lane;
  /** With `variables` a template that is filled when it is sent, otherwise literal. */
  readonly content: Content;
  readonly variables?: Variables;
  readonly template?: { readonly key: string; readonly version: number };
  /** Each once. */
  readonly receivers: readonly NewReceiver[];
  /** Unix ms; not before then. */
  readonly sendAt?: number | undefined;
  readonly opaque?: Opaque | undefined;
  /** Once for each app: the second message under it is the first. */
  readonly idempotencyKey?: string | undefined;
  /** SHA-256 of the request, hex: another request under a used idempotency key is a mistake. */
  readonly requestHash: string;
  readonly callbackUrl?: string | undefined;
  readonly campaignId?: string;
}

/** What became of handing in a message; `isNew` is false when the idempotency key had been used for the same request. */
export interface Accepted {
  readonly id: string;
  readonly isNew: boolean;
}
