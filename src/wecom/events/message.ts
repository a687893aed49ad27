import { hash } from 'node:crypto';
import { InputError } from '../../errors.ts';
import { readUserId } from '../userid.ts';
import { text, textIfPlain, wholeNumber, type XmlElement } from '../xml/element.ts';
import { readXml } from '../xml/parser.ts';
import { legalText } from '../xml/text.ts';

/** What a member sent to an app, or touched on its menu bar (§2.2–§2.4). */
export interface Message {
  readonly fromUserName: string;
  /** The corp id, of what was sent to an app (§2.2); null when it is not said. */
  readonly toUserName: string | null;
  /** Unix seconds; 0 when there is no such number, which is older than anything may be. */
  readonly createTime: number;
  /** Null when there is no such number. */
  readonly agentId: number | null;
  readonly kind: 'message' | 'click';
  /** The same for each delivery, and for no other message of this member to this app (§2.5). */
  readonly id: string;
  /**
   * What was typed, without the characters that XML does not allow, since nobody typed them; or the key of the entry on
   * the menu bar. Absent for what is no text: Keypad only answers that it takes text.
   */
  readonly text?: string;
}

/**
 * Reads a decrypted callback. Whatever a member sent is a message, also of a kind that WeCom lists nowhere (§2.3). Null for
 * what nobody sent, and for events that Keypad does not act on: they are answered with an empty 200 (§2.4). Throws
 * {@link InputError} only for what is no XML, or says from nobody: after a 400 WeCom would ask for the same again.
 */
export function readMessage(plaintext: string): Message | null {
  if (/^\s*\{/.test(plaintext)) return readJson(plaintext);
  const element = readXml(plaintext);
  const type = textIfPlain(element, 'MsgType').toLowerCase();
  if (type === 'event') return readEvent(element, plaintext);
  const from = text(element, 'FromUserName');
  // What is not even a kind of WeCom's may be about nobody.
  if (type !== 'text' && (from === '' || from === 'sys')) return null;
  const sentId = textIfPlain(element, 'MsgId');
  const sent = {
    fromUserName: readUserId(from),
    toUserName: textIfPlain(element, 'ToUserName') || null,
    createTime: wholeNumber(element, 'CreateTime') ?? 0,
    agentId: wholeNumber(element, 'AgentID'),
    kind: 'message',
    // A MsgId has 64 bits and so stays a string.
    id: /^\d{1,20}$/.test(sentId) ? sentId : hash('sha256', plaintext),
  } as const;
  const [content = ''] = element.get('Content') ?? [];
  return type === 'text' && typeof content === 'string' ? { ...sent, text: legalText(content) } : sent;
}

function readEvent(element: XmlElement, plaintext: string): Message | null {
  // WeCom writes `click` and `CLICK` (§2.4).
  if (textIfPlain(element, 'Event').toLowerCase() !== 'click') return null;
  return {
    fromUserName: readUserId(text(element, 'FromUserName')),
    toUserName: textIfPlain(element, 'ToUserName') || null,
    createTime: wholeNumber(element, 'CreateTime') ?? 0,
    agentId: wholeNumber(element, 'AgentID'),
    kind: 'click',
    // Only the ciphertext differs between deliveries.
    id: hash('sha256', plaintext),
    text: textIfPlain(element, 'EventKey'),
  };
}

/** Some calendar events come as JSON (§2.1). Keypad acts on none, so it is enough that they are whole. */
function readJson(plaintext: string): null {
  try {
    JSON.parse(plaintext);
  } catch {
    throw new InputError('the decrypted text is neither XML nor JSON');
  }
  return null;
}
