import { expect, test } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import { createCipher } from '../../../src/wecom/crypto/cipher.ts';
import { readEncrypted } from '../../../src/wecom/crypto/envelope.ts';
import { vector } from './vectors.ts';

const { encrypted, signature, timestamp, nonce, receiveId, ...settings } = vector('A2');
const cipher = createCipher({ ...settings, receiveId });
const body = `<xml><ToUserName><![CDATA[${receiveId}]]></ToUserName><Encrypt><![CDATA[${encrypted}]]></Encrypt><AgentID><![CDATA[218]]></AgentID></xml>`;

/** What the callback does with a body, up to the plaintext; null when the signature says no. */
function open(xml: string): string | null {
  const text = readEncrypted(xml);
  return cipher.isSigned(signature, timestamp, nonce, text) ? cipher.decrypt(text) : null;
}

function isRefused(xml: string): boolean {
  try {
    return open(xml) === null;
  } catch (error) {
    if (error instanceof InputError) return true;
    throw error;
  }
}

test('an envelope is read whatever the order, with CDATA or without', () => {
  const plain = `<xml><AgentID>218</AgentID><Encrypt>${encrypted}</Encrypt>\n<ToUserName>${receiveId}</ToUserName></xml>`;
  expect(readEncrypted(body)).toBe(encrypted);
  expect(readEncrypted(plain)).toBe(encrypted);
});

test.each(['', '<AgentID></AgentID>', '<AgentID><![CDATA[]]></AgentID>', '<AgentID>1e3</AgentID>'])(
  'an envelope is read whatever stands beside the ciphertext, which alone is signed: %j',
  (agent) => {
    expect(readEncrypted(`<xml><Encrypt>x</Encrypt>${agent}</xml>`)).toBe('x');
  },
);

test.each([
  ['no Encrypt', '<xml><ToUserName>x</ToUserName></xml>'],
  ['an empty Encrypt', '<xml><Encrypt></Encrypt></xml>'],
  ['Encrypt twice', '<xml><Encrypt>a</Encrypt><Encrypt>b</Encrypt></xml>'],
  ['elements in Encrypt', '<xml><Encrypt><A>a</A></Encrypt></xml>'],
  ['JSON', '{"tousername":"x","encrypt":"y"}'],
])('an envelope with %s is refused', (_, xml) => {
  expect(() => readEncrypted(xml)).toThrow(InputError);
});

test('a valid body is opened', () => {
  expect(open(body)).toBe(vector('A2').text);
});

test('every truncation of a valid body is refused', () => {
  for (let length = 0; length < body.length; length += 1) {
    expect(isRefused(body.slice(0, length)), `the first ${length} bytes`).toBe(true);
  }
});

test('every change of one byte inside the Encrypt element is refused', () => {
  const bytes = Buffer.from(body);
  const from = body.indexOf('<Encrypt>') + '<Encrypt>'.length;
  const to = body.indexOf('</Encrypt>');
  const accepted: string[] = [];
  for (let at = from; at < to; at += 1) {
    const original = bytes[at] ?? 0;
    for (let byte = 0; byte < 256; byte += 1) {
      bytes[at] = byte;
      if (byte !== original && !isRefused(bytes.toString())) accepted.push(`byte ${at} as ${byte}`);
    }
    bytes[at] = original;
  }
  expect(accepted).toEqual([]);
});
