import { cdata } from '../xml/text.ts';
import type { Cipher } from './cipher.ts';

/** A passive text reply before it is sealed. Sender and receiver are swapped as against the callback (§3.2). */
export interface TextReply {
  readonly toUser: string;
  readonly fromCorp: string;
  /** At most 2048 bytes of UTF-8: WeCom cuts the rest off. */
  readonly content: string;
  /** Unix seconds. */
  readonly timestamp: number;
  /** Our own choice (§3.1). */
  readonly nonce: string;
}

/** The body that answers a callback with a text (§3.1, §3.2). Characters that XML does not allow are dropped. */
export function sealTextReply(cipher: Cipher, reply: TextReply): string {
  const timestamp = `${reply.timestamp}`;
  const encrypted = cipher.encrypt(writeTextReply(reply));
  const signature = cipher.sign(timestamp, reply.nonce, encrypted);
  return (
    `<xml><Encrypt>${cdata(encrypted)}</Encrypt><MsgSignature>${cdata(signature)}</MsgSignature>` +
    `<TimeStamp>${timestamp}</TimeStamp><Nonce>${cdata(reply.nonce)}</Nonce></xml>`
  );
}

function writeTextReply({ toUser, fromCorp, content, timestamp }: TextReply): string {
  return (
    `<xml><ToUserName>${cdata(toUser)}</ToUserName><FromUserName>${cdata(fromCorp)}</FromUserName>` +
    `<CreateTime>${timestamp}</CreateTime><MsgType>${cdata('text')}</MsgType>` +
    `<Content>${cdata(content)}</Content></xml>`
  );
}
