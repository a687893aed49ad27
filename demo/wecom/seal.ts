import { randomInt } from 'node:crypto';
import { encrypt, getSignature } from '@wecom/crypto';
import type { WeComApp } from './app.ts';
import { element } from './callback-xml.ts';

/** One callback as it goes over the wire: the query string and the body. */
export interface Sealed {
  readonly query: string;
  readonly body: string;
}

/** Encrypts and signs a callback (protocol §1.3, §2.1). Each call draws a new nonce and a new random prefix, as each retry does. */
export function sealCallback(app: WeComApp, plaintext: string, timestamp: number): Sealed {
  const encrypted = encrypt(app.encodingAesKey, plaintext, app.corpId);
  const elements = [
    element('ToUserName', app.corpId),
    element('AgentID', `${app.agentId}`),
    element('Encrypt', encrypted),
  ];
  return { query: sign(app, encrypted, timestamp).toString(), body: `<xml>${elements.join('')}</xml>` };
}

/** The query of the GET that proves a callback URL: `echo` is what must come back in the clear (protocol §1.2). */
export function sealEcho(app: WeComApp, echo: string, timestamp: number): string {
  const encrypted = encrypt(app.encodingAesKey, echo, app.corpId);
  const query = sign(app, encrypted, timestamp);
  query.set('echostr', encrypted);
  return query.toString();
}

function sign(app: WeComApp, encrypted: string, timestamp: number): URLSearchParams {
  const nonce = `${randomInt(2 ** 31)}`;
  const signature = getSignature(app.token, `${timestamp}`, nonce, encrypted);
  return new URLSearchParams({ msg_signature: signature, timestamp: `${timestamp}`, nonce });
}
