import fc from 'fast-check';
import { XMLParser } from 'fast-xml-parser';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import { text, type XmlNode } from '../../../src/wecom/xml/element.ts';
import { readXml } from '../../../src/wecom/xml/parser.ts';
import { vector } from '../crypto/vectors.ts';

const name = fc.constantFrom('ToUserName', 'Content', 'MsgId', 'Location_X', 'AgentID', 'Encrypt');
const anyText = fc.string({ unit: 'binary', maxLength: 30 });
const cdata = anyText.map((value) => `<![CDATA[${value}]]>`);
const plain = anyText.map((value) => value.replaceAll(/[<&]/g, '.'));
const space = fc.constantFrom('', '\n', ' ', '\t\n');
const element = fc
  .tuple(name, fc.oneof(cdata, plain), space)
  .map(([tag, value, after]) => `<${tag}>${value}</${tag}>${after}`);
const document = fc
  .tuple(space, fc.uniqueArray(element, { maxLength: 6 }), space)
  .map(([before, elements, after]) => `<xml>${before}${elements.join('')}</xml>${after}`);

/** A document with one character replaced by, or one inserted that, means something to XML. */
const damaged = fc
  .tuple(
    document,
    fc.nat(),
    fc.constantFrom(...'<>&/!?[]"\'\r\n \0x', ']]>', '<![CDATA[', '<a/>'),
    fc.boolean(),
  )
  .map(([xml, place, sign, insert]) => {
    const at = place % (xml.length + 1);
    return xml.slice(0, at) + sign + xml.slice(insert ? at : at + 1);
  });

const library = new XMLParser({ parseTagValue: false, trimValues: false, processEntities: false });

/** What fast-xml-parser gives, in our form. */
function nodeOf(value: unknown): XmlNode {
  if (typeof value === 'string') return value;
  const elements = Object.entries(value as object).filter(([name]) => name !== '#text');
  return new Map(elements.map(([name, children]) => [name, [children].flat().map(nodeOf)]));
}

/** What we take must be to fast-xml-parser what it is to us; what we refuse says nothing. */
function isTaken(xml: string): boolean {
  try {
    readXml(xml);
  } catch {
    return false;
  }
  // The library refuses an odd & altogether; to us it is a sign like any other.
  const root = nodeOf(library.parse(xml, !xml.includes('&')).xml);
  expect(readXml(xml)).toEqual(typeof root === 'string' && root.trim() === '' ? new Map() : root);
  return true;
}

describe('our parser and fast-xml-parser', () => {
  test.each([
    ['plain', document, 4000],
    ['damaged', damaged, 1000],
  ])('agree on %s documents whenever we accept one', (_, documents, least) => {
    let accepted = 0;
    const agree = fc.property(documents, (xml) => {
      if (isTaken(xml)) accepted += 1;
    });
    fc.assert(agree, { numRuns: 5000 });
    expect(accepted).toBeGreaterThan(least);
  });

  test.each([vector('A2').text, vector('B2').text])('agree on the published messages', (xml) => {
    expect(isTaken(xml)).toBe(true);
  });
});

describe('reading XML', () => {
  test.each([
    ['CDATA as it stands', '<![CDATA[a&amp;<b> ]]>', 'a&amp;<b> '],
    ['the predefined references', '&lt;&gt;&amp;&quot;&apos;', '<>&"\''],
    ['numeric references', '&#20320;&#x597D;&#x1F600;', '你好😀'],
    ['a reference of a reference only once', '&amp;lt;', '&lt;'],
    ['text and CDATA side by side', 'a<![CDATA[b]]>c<![CDATA[]]>', 'abc'],
    ['a split CDATA end', '<![CDATA[a]]]]><![CDATA[>b]]>', 'a]]>b'],
    ['spaces as they are', '  1 ', '  1 '],
    ['digits as text', '0001', '0001'],
    ['nothing', '', ''],
    ['a reference to what nobody declared', '&file; &nbsp;', '&file; &nbsp;'],
    ['a bare ampersand', 'a & b&', 'a & b&'],
    ['a reference to what is no character', '&#0;&#xD800;&#x110000;&#;', '&#0;&#xD800;&#x110000;&#;'],
    [
      'a DTD that is only quoted',
      '<![CDATA[<!DOCTYPE x [<!ENTITY y "z">]>]]>',
      '<!DOCTYPE x [<!ENTITY y "z">]>',
    ],
  ])('keeps %s', (_, inside, expected) => {
    expect(text(readXml(`<xml><Content>${inside}</Content></xml>`), 'Content')).toBe(expected);
  });

  test('accepts an XML declaration, a BOM, attributes and empty elements', () => {
    const xml = '\uFEFF<?xml version="1.0" encoding="UTF-8"?>\n<xml a="1"><A b=\'2\'>x</A><B/></xml>\n';
    const element = readXml(xml);
    expect([text(element, 'A'), text(element, 'B'), text(element, 'C')]).toEqual(['x', '', '']);
  });

  test('makes a list of repeated elements, and a map of nested ones', () => {
    const twice = readXml('<xml><A>1</A><B/><A>2</A><L><I>x</I></L><L>\n</L></xml>');
    expect(twice.get('A')).toEqual(['1', '2']);
    expect(twice.get('B')).toEqual(['']);
    expect(twice.get('L')).toEqual([new Map([['I', ['x']]]), '\n']);
  });

  test('takes what is odd in a field, until somebody asks for it', () => {
    const element = readXml('<xml><A>loose<B>1</B></A><__proto__>2</__proto__><名>3</名><C>4</C></xml>');
    expect([text(element, 'C'), text(element, '__proto__'), text(element, '名')]).toEqual(['4', '2', '3']);
    expect(() => text(element, 'A')).toThrow(/<A> occurs twice or is no plain text/);
  });

  test('refuses a name twice where one text belongs', () => {
    expect(() => text(readXml('<xml><A>1</A><A>2</A></xml>'), 'A')).toThrow(/<A> occurs twice/);
  });

  test.each([
    ['nothing', ''],
    ['no XML', 'hello'],
    ['another root', '<root><A>1</A></root>'],
    ['two roots', '<xml><A>1</A></xml><xml><A>2</A></xml>'],
    ['text after the end', '<xml><A>1</A></xml>x'],
    ['text only', '<xml>hello</xml>'],
    ['an open element', '<xml><A>1</xml>'],
    ['a nameless element', '<xml><>1</></xml>'],
    ['crossed elements', '<xml><A><B></A></B></xml>'],
    ['an open CDATA section', '<xml><A><![CDATA[1</A></xml>'],
    ['an open declaration', '<?xml version="1.0"'],
    ['mixed text and elements', '<xml><A>1</A>loose</xml>'],
    ['a DTD', '<!DOCTYPE xml [<!ENTITY a "b">]><xml><A>1</A></xml>'],
    [
      'a DTD after the declaration',
      '<?xml version="1.0"?><!DOCTYPE xml SYSTEM "file:///etc/passwd"><xml><A>1</A></xml>',
    ],
    ['a DTD inside', '<xml><!DOCTYPE xml><A>1</A></xml>'],
    ['an entity declaration inside', '<xml><!ENTITY a "b"><A>1</A></xml>'],
    ['a comment', '<xml><!-- hi --><A>1</A></xml>'],
    ['a processing instruction', '<xml><?php 1 ?><A>1</A></xml>'],
    ['nesting without end', `<xml>${'<A>'.repeat(2000)}${'</A>'.repeat(2000)}</xml>`],
  ])('refuses %s', (_, xml) => {
    expect(() => readXml(xml)).toThrow(InputError);
  });

  test.each([
    ['open elements', '<a>'.repeat(20_000)],
    ['empty elements', `<xml>${'<a/>'.repeat(16_000)}</xml>`],
    ['references', `<xml><A>${'&amp;'.repeat(13_000)}</A></xml>`],
    ['ampersands', `<xml><A>${'&'.repeat(65_000)}</A></xml>`],
    ['spaces in a tag', `<xml><A${' '.repeat(65_000)}</A></xml>`],
    ['quotes in a tag', `<xml><A ${'a="b=\''.repeat(10_000)}</A></xml>`],
    ['attributes', `<xml><A ${Array.from({ length: 6_000 }, (_, i) => `a${i}="1"`).join(' ')}>1</A></xml>`],
    ['CDATA openings', `<xml><A>${'<![CDATA['.repeat(7_000)}</A></xml>`],
    ['CDATA sections', `<xml><A>${'<![CDATA[]]>'.repeat(5_400)}</A></xml>`],
    ['brackets', `<xml><A><![CDATA[${']]'.repeat(32_000)}</A></xml>`],
    ['closing tags', `<xml>${'</A>'.repeat(16_000)}</xml>`],
  ])('takes 64 KiB of %s, or refuses it, at once', (_, xml) => {
    try {
      readXml(xml);
    } catch (error) {
      expect(error).toBeInstanceOf(InputError);
    }
  });
});
