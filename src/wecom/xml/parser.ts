import { XMLParser } from 'fast-xml-parser';
import { InputError } from '../../errors.ts';
import type { XmlElement, XmlNode } from './element.ts';
import { scanXml } from './scanner.ts';
import { readReferences } from './text.ts';

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: true,
  parseTagValue: false,
  trimValues: false,
  processEntities: false,
  cdataPropName: '#cdata',
  maxNestedTags: 16,
});

/** One item as fast-xml-parser gives it with `preserveOrder`: its only key is the tag name, `#text` or `#cdata`. */
type Item = Readonly<Record<string, unknown>>;

/** Reads the `<xml>` of a callback: the usual shape in one pass, any other by the parser. Throws InputError. */
export function readXml(xml: string): XmlElement {
  return scanXml(xml) ?? parseXml(xml);
}

/**
 * Reads any well-formed `<xml>` document of WeCom. There is no DTD and no entity in this dialect of XML: a declaration,
 * comment or processing instruction after the prolog throws {@link InputError}, as whatever is malformed does.
 */
export function parseXml(xml: string): XmlElement {
  const document = withoutProlog(xml);
  if (hasDeclaration(document)) throw new InputError('XML declarations, comments and DTDs are not allowed');
  const root = parseDocument(document).find((item) => !('#text' in item));
  if (!root || !('xml' in root)) throw new InputError('the document is not an <xml> element');
  const node = readNode(itemsOf(root, 'xml'));
  if (typeof node !== 'string') return node;
  if (node.trim() !== '') throw new InputError('the document holds text only');
  return new Map();
}

function withoutProlog(xml: string): string {
  const start = xml.startsWith('\uFEFF') ? 1 : 0;
  if (!xml.startsWith('<?xml ', start)) return xml.slice(start);
  const end = xml.indexOf('?>', start);
  return end === -1 ? xml : xml.slice(end + 2);
}

/** Whether any `<!` or `<?` stands outside CDATA, found here so that the library never sees a DTD. */
function hasDeclaration(xml: string): boolean {
  let at = xml.indexOf('<');
  while (at !== -1) {
    if (xml.startsWith('<![CDATA[', at)) at = xml.indexOf(']]>', at);
    else if (xml[at + 1] === '!' || xml[at + 1] === '?') return true;
    if (at === -1) return true;
    at = xml.indexOf('<', at + 1);
  }
  return false;
}

function parseDocument(xml: string): readonly Item[] {
  try {
    return parser.parse(xml, true);
  } catch (cause) {
    throw new InputError('the XML is malformed', { cause });
  }
}

function itemsOf(item: Item, key: string): readonly Item[] {
  return item[key] as readonly Item[];
}

/** An element with elements inside is a map, any other its text; text around elements can only be layout. */
function readNode(items: readonly Item[]): XmlNode {
  const content = items.filter(isText).map(readText).join('');
  const elements = items.filter((item) => !isText(item));
  if (elements.length === 0) return content;
  if (content.trim() !== '') throw new InputError('text and elements are mixed');
  const lists = new Map<string, XmlNode[]>();
  for (const item of elements) {
    for (const name of Object.keys(item)) {
      const list = lists.get(name) ?? [];
      list.push(readNode(itemsOf(item, name)));
      lists.set(name, list);
    }
  }
  return new Map([...lists].map(([name, list]) => [name, list.length === 1 ? (list[0] ?? '') : list]));
}

function isText(item: Item): boolean {
  return '#text' in item || '#cdata' in item;
}

function readText(item: Item): string {
  if ('#cdata' in item)
    return itemsOf(item, '#cdata')
      .map((part) => String(part['#text']))
      .join('');
  return readReferences(String(item['#text']));
}
