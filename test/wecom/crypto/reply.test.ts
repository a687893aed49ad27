import { decrypt, getSignature } from '@wecom/crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCipher } from '../../../src/wecom/crypto/cipher.ts';
import { sealTextReply } from '../../../src/wecom/crypto/reply.ts';
import { text } from '../../../src/wecom/xml/element.ts';
import { readXml } from '../../../src/wecom/xml/parser.ts';
import { vector } from './vectors.ts';

const demo = vector('S4');
const cipher = createCipher(demo);
const reply = {
  toUser: 'zhangsan',
  fromCorp: demo.receiveId,
  content: '收到',
  timestamp: 1767225600,
  nonce: 'n0nce',
};

/** The content as Tencent's own package opens it and an XML parser reads it. */
function contentOf(sealed: string): string {
  const inner = decrypt(demo.encodingAesKey, text(readXml(sealed), 'Encrypt')).message;
  return text(readXml(inner), 'Content');
}

test('a reply is the published one, byte for byte, with TimeStamp in its exact case', () => {
  const fixed = createCipher({ ...demo, random: () => Buffer.from('0123456789abcdef') });
  expect(sealTextReply(fixed, reply)).toBe(
    `<xml><Encrypt><![CDATA[${demo.encrypted}]]></Encrypt><MsgSignature><![CDATA[${demo.signature}]]></MsgSignature><TimeStamp>1767225600</TimeStamp><Nonce><![CDATA[n0nce]]></Nonce></xml>`,
  );
});

test('a reply is signed over the values that it carries', () => {
  const sealed = readXml(sealTextReply(cipher, { ...reply, nonce: 'other' }));
  expect(text(sealed, 'MsgSignature')).toBe(
    getSignature(demo.token, text(sealed, 'TimeStamp'), text(sealed, 'Nonce'), text(sealed, 'Encrypt')),
  );
  expect(text(sealed, 'Nonce')).toBe('other');
});

describe('the content', () => {
  test.each([
    ['the end of CDATA', 'a]]>b', 'a]]>b'],
    ['the end of CDATA twice', ']]>]]>', ']]>]]>'],
    ['markup', '</Content><x>&amp;', '</Content><x>&amp;'],
    ['emoji and line ends', '好😀\n2', '好😀\n2'],
    ['control characters, which are dropped', 'a\u0000\u0008\u001bb\tc', 'ab\tc'],
    ['lone surrogates, which are dropped', 'a\ud83d!\ude00b', 'a!b'],
    ['what only becomes the end of CDATA when characters are dropped', ']\u0000]\u0001>', ']]>'],
  ])('survives with %s', (_, content, expected) => {
    expect(contentOf(sealTextReply(cipher, { ...reply, content }))).toBe(expected);
  });

  test('survives whatever it is', () => {
    const any = fc.string({
      unit: fc.oneof(fc.constantFrom(']', '>', '<', '&'), fc.string({ unit: 'grapheme', maxLength: 1 })),
    });
    fc.assert(
      fc.property(any, (content) => {
        expect(contentOf(sealTextReply(cipher, { ...reply, content }))).toBe(content);
      }),
    );
  });
});
