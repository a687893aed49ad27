import { decrypt, getSignature } from '@wecom/crypto';
import { XMLParser } from 'fast-xml-parser';
import { InputError } from '../../src/errors.ts';
import type { WeComApp } from './app.ts';
import { cutText } from './view.ts';

/** What the member sees of a passive reply; `cut` when WeCom shortened it. */
export interface PassiveReply {
  readonly text: string;
  readonly cut: boolean;
}

const parser = new XMLParser({ parseTagValue: false, trimValues: false, ignoreAttributes: true });

/**
 * Opens the body that answered a callback (protocol §3); an empty one means no reply.
 * Throws an InputError that says why WeCom would ignore the reply.
 */
export function readPassiveReply(app: WeComApp, user: string, body: string): PassiveReply | undefined {
  if (body === '') return undefined;
  const envelope = readXml(body, 'the envelope');
  const encrypted = field(envelope, 'Encrypt');
  const timestamp = field(envelope, 'TimeStamp');
  const nonce = field(envelope, 'Nonce');
  if (getSignature(app.token, timestamp, nonce, encrypted) !== field(envelope, 'MsgSignature')) {
    throw new InputError('MsgSignature does not match the reply');
  }
  const reply = readXml(open(app, encrypted), 'the plaintext');
  if (field(reply, 'ToUserName') !== user) throw new InputError(`ToUserName is not the member ${user}`);
  if (field(reply, 'FromUserName') !== app.corpId) throw new InputError('FromUserName is not the corp id');
  if (!/^\d+$/.test(field(reply, 'CreateTime')))
    throw new InputError('CreateTime is not a number of seconds');
  const type = field(reply, 'MsgType');
  return type === 'text' ? cutText(field(reply, 'Content')) : { text: `[${type}]`, cut: false };
}

function open(app: WeComApp, encrypted: string): string {
  let opened: { message: string; id: string };
  try {
    opened = decrypt(app.encodingAesKey, encrypted);
  } catch {
    throw new InputError('Encrypt cannot be decrypted with this EncodingAESKey');
  }
  // Tencent's package compares no id and lets a bad padding through; both would show up here.
  if (opened.id !== app.corpId) throw new InputError('the reply is not sealed for this corp id');
  return opened.message;
}

function readXml(text: string, what: string): Record<string, unknown> {
  let root: unknown;
  try {
    root = (parser.parse(text, true) as Record<string, unknown>).xml;
  } catch {
    throw new InputError(`${what} is not well-formed XML`);
  }
  if (typeof root !== 'object' || root === null) throw new InputError(`${what} has no <xml> element`);
  return root as Record<string, unknown>;
}

function field(xml: Record<string, unknown>, name: string): string {
  const value = xml[name];
  if (typeof value !== 'string') throw new InputError(`the reply has no ${name}`);
  return value;
}
