import { hash } from 'node:crypto';
import { InputError } from '../../errors.ts';
import { text, type XmlElement } from '../xml/element.ts';
import { readXml } from '../xml/xml.ts';
import { type ChatMessage, readChatMessage } from './chat-message.ts';
import { type Event, readEvent } from './event.ts';

/** A callback that the protocol page does not list; it is answered with an empty 200 (§2.3, §2.4). */
export interface UnknownCallback {
  readonly kind: 'unknown';
  readonly msgType: string;
  readonly event: string;
}

/** Whatever WeCom sends, told apart by `kind`: six kinds of message, `event` (by `event` in turn), or `unknown`. */
export type Callback = ChatMessage | Event | UnknownCallback;

/** Reads a decrypted callback. Throws {@link InputError} when it is malformed; what is merely new is `unknown`. */
export function readMessage(plaintext: string): Callback {
  if (/^\s*\{/.test(plaintext)) return readJson(plaintext);
  const element = readXml(plaintext);
  return readKnown(element) ?? unknown(text(element, 'MsgType'), text(element, 'Event'));
}

/**
 * What tells a repeated delivery from a new one (§2.5): a message's MsgId, to be kept per member and app; for anything
 * else the SHA-256 of the plaintext in hex, since only the ciphertext differs between deliveries.
 */
export function callbackKey(callback: Callback, plaintext: string): string {
  return 'msgId' in callback ? callback.msgId : hash('sha256', plaintext);
}

function readKnown(element: XmlElement): ChatMessage | Event | null {
  return text(element, 'MsgType') === 'event' ? readEvent(element) : readChatMessage(element);
}

/** Some calendar events come as JSON (§2.1). Keypad acts on none, so it is enough that they are whole. */
function readJson(plaintext: string): UnknownCallback {
  try {
    JSON.parse(plaintext);
  } catch {
    throw new InputError('the decrypted text is neither XML nor JSON');
  }
  return unknown('json', '');
}

function unknown(msgType: string, event: string): UnknownCallback {
  return { kind: 'unknown', msgType, event };
}
