import { hash } from 'node:crypto';
import { InputError } from '../../errors.ts';
import { readUserId } from '../userid.ts';
import { integer, optionalInteger, text, type XmlElement } from '../xml/element.ts';
import { readXml } from '../xml/parser.ts';
import { legalText } from '../xml/text.ts';

/** What a member sent to an app, or touched on its menu bar (§2.2–§2.4). */
export interface Message {
  readonly fromUserName: string;
  /** Unix seconds. */
  readonly createTime: number;
  /** Null when WeCom left it out, as it may for a touch on the menu bar. */
  readonly agentId: number | null;
  /** The same for each delivery, and for no other message of this member to this app (§2.5). */
  readonly id: string;
  /**
   * What was typed, without the characters that XML does not allow, since nobody typed them; or the key of the entry on
   * the menu bar. Absent for what is no text: Keypad only answers that it takes text.
   */
  readonly text?: string;
}

/** What a member can send besides text (§2.3). */
const WITHOUT_TEXT: readonly string[] = ['image', 'voice', 'video', 'location', 'link'];

/**
 * Reads a decrypted callback; null for what Keypad does not act on, listed by WeCom or not: that is answered with an
 * empty 200 (§2.3, §2.4). Throws {@link InputError} when it is malformed.
 */
export function readMessage(plaintext: string): Message | null {
  if (/^\s*\{/.test(plaintext)) return readJson(plaintext);
  const element = readXml(plaintext);
  const type = text(element, 'MsgType');
  if (type === 'text') return { ...readSent(element), text: legalText(text(element, 'Content')) };
  if (WITHOUT_TEXT.includes(type)) return readSent(element);
  // WeCom writes `click` and `CLICK` (§2.4).
  if (type !== 'event' || text(element, 'Event').toLowerCase() !== 'click') return null;
  return {
    ...readMember(element),
    agentId: optionalInteger(element, 'AgentID'),
    // Only the ciphertext differs between deliveries.
    id: hash('sha256', plaintext),
    text: text(element, 'EventKey'),
  };
}

/** A MsgId has 64 bits and so stays a string. */
function readSent(element: XmlElement): Message {
  const id = text(element, 'MsgId');
  if (!/^\d{1,20}$/.test(id)) throw new InputError('<MsgId> is not a whole number');
  return { ...readMember(element), agentId: integer(element, 'AgentID'), id };
}

function readMember(element: XmlElement): Pick<Message, 'fromUserName' | 'createTime'> {
  return {
    fromUserName: readUserId(text(element, 'FromUserName')),
    createTime: integer(element, 'CreateTime'),
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
