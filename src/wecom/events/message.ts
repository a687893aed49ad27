import { hash } from 'node:crypto';
import { InputError } from '../../errors.ts';
import { readUserId } from '../userid.ts';
import { integer, optionalInteger, text, type XmlElement } from '../xml/element.ts';
import { readXml } from '../xml/parser.ts';
import { legalText } from '../xml/text.ts';

/** What every callback has that comes from a member (§2.2). `createTime` is in Unix seconds. */
interface FromMember {
  readonly fromUserName: string;
  readonly createTime: number;
}

/** What every message has (§2.2). `msgId` has 64 bits and so stays a string. */
interface MessageCommon extends FromMember {
  readonly agentId: number;
  readonly msgId: string;
}

/** A text that a member typed. Characters that XML does not allow were dropped: nobody typed them. */
export interface TextMessage extends MessageCommon {
  readonly kind: 'text';
  readonly content: string;
}

/** What else a member can send to an app (§2.3). Its content is not read: Keypad only answers that it takes text. */
export interface OtherMessage extends MessageCommon {
  readonly kind: 'image' | 'voice' | 'video' | 'location' | 'link';
}

/** A member touched an entry of the app's own menu bar (§2.4); `agentId` is null when WeCom left it out. */
export interface Click extends FromMember {
  readonly kind: 'event';
  readonly event: 'click';
  readonly agentId: number | null;
  readonly eventKey: string;
}

/** A callback that Keypad does not act on, listed by WeCom or not; it is answered with an empty 200 (§2.3, §2.4). */
export interface UnknownCallback {
  readonly kind: 'unknown';
  readonly msgType: string;
  readonly event: string;
}

/** What WeCom sends, told apart by `kind`. */
export type Callback = TextMessage | OtherMessage | Click | UnknownCallback;

/** Reads a decrypted callback. Throws {@link InputError} when it is malformed; what is merely new is `unknown`. */
export function readMessage(plaintext: string): Callback {
  if (/^\s*\{/.test(plaintext)) return readJson(plaintext);
  const element = readXml(plaintext);
  const kind = text(element, 'MsgType');
  switch (kind) {
    case 'text':
      return { ...readCommon(element), kind, content: legalText(text(element, 'Content')) };
    case 'image':
    case 'voice':
    case 'video':
    case 'location':
    case 'link':
      return { ...readCommon(element), kind };
    case 'event':
      return readEvent(element);
    default:
      return { kind: 'unknown', msgType: kind, event: text(element, 'Event') };
  }
}

/**
 * What tells a repeated delivery from a new one (§2.5): a message's MsgId, to be kept per member and app; for anything
 * else the SHA-256 of the plaintext in hex, since only the ciphertext differs between deliveries.
 */
export function callbackKey(callback: Callback, plaintext: string): string {
  return 'msgId' in callback ? callback.msgId : hash('sha256', plaintext);
}

/** Names of events are compared in lower case: WeCom writes `click` and `CLICK` (§2.4). */
function readEvent(element: XmlElement): Click | UnknownCallback {
  const event = text(element, 'Event');
  if (event.toLowerCase() !== 'click') return { kind: 'unknown', msgType: 'event', event };
  const agentId = optionalInteger(element, 'AgentID');
  return {
    ...readMember(element),
    kind: 'event',
    event: 'click',
    agentId,
    eventKey: text(element, 'EventKey'),
  };
}

function readCommon(element: XmlElement): MessageCommon {
  const msgId = text(element, 'MsgId');
  if (!/^\d{1,20}$/.test(msgId)) throw new InputError('<MsgId> is not a whole number');
  return { ...readMember(element), agentId: integer(element, 'AgentID'), msgId };
}

function readMember(element: XmlElement): FromMember {
  return {
    fromUserName: readUserId(text(element, 'FromUserName')),
    createTime: integer(element, 'CreateTime'),
  };
}

/** Some calendar events come as JSON (§2.1). Keypad acts on none, so it is enough that they are whole. */
function readJson(plaintext: string): UnknownCallback {
  try {
    JSON.parse(plaintext);
  } catch {
    throw new InputError('the decrypted text is neither XML nor JSON');
  }
  return { kind: 'unknown', msgType: 'json', event: '' };
}
