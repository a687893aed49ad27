import { InputError } from '../../errors.ts';
import type { XmlElement, XmlNode } from './element.ts';
import { readReferences } from './text.ts';

/** What may stand before the document: a byte order mark and the XML declaration. */
const PROLOG = /^\uFEFF?(?:<\?xml .*?\?>)?/s;
/**
 * The next piece of a document: a CDATA section, an opening tag, whose attributes mean nothing, a closing tag, or text.
 * A DTD, a comment or a processing instruction is none of these.
 */
const PIECE =
  /<!\[CDATA\[(.*?)\]\]>|<([A-Za-z_\u0080-\uffff][\w.:\u0080-\uffff-]*)(?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*\s*(\/?)>|<\/([\w.:\u0080-\uffff-]+)\s*>|[^<]+/gsy;
/** A forwarded chat may hold forwarded chats. */
const DEEPEST = 1000;

/** An element that is open at the place up to which the document has been read. */
interface Open {
  readonly name: string;
  readonly elements: Map<string, XmlNode[]>;
  text: string;
}

/**
 * Reads an `<xml>` document of WeCom, in one pass. There is no DTD and no entity in this dialect of XML, and whatever is
 * malformed or nested too deep throws {@link InputError}. What only a field can have wrong, such as text among its elements,
 * fails whoever asks for that field as text. It costs a sixth of fast-xml-parser, to which a test compares it.
 */
export function readXml(source: string): XmlElement {
  // In XML every line ends with \n alone, however it was written.
  const xml = source.replace(/\r\n?/g, '\n').replace(PROLOG, '');
  const document = open('');
  const path = [document];
  let length = 0;
  for (const [piece, cdata, opened, slash, closed] of xml.matchAll(PIECE)) {
    length += piece.length;
    if (opened !== undefined) path.push(open(opened));
    else if (closed === undefined) (path.at(-1) as Open).text += cdata ?? readReferences(piece);
    if (path.length > DEEPEST) throw new InputError('the XML is nested too deep');
    if (closed !== undefined || slash === '/') close(path, closed ?? opened);
  }
  if (length < xml.length || path.length > 1) throw new InputError('the XML is malformed');
  const [root, second] = document.elements.get('xml') ?? [];
  const isAlone = second === undefined && document.elements.size === 1 && document.text.trim() === '';
  if (root === undefined || !isAlone) throw new InputError('the document is not an <xml> element');
  if (typeof root !== 'string') return root;
  if (root.trim() !== '') throw new InputError('the document holds text only');
  return new Map();
}

function open(name: string): Open {
  return { name, elements: new Map(), text: '' };
}

/** Ends the innermost element. With elements inside it is a map, otherwise its text; text around those of the root can only be layout. */
function close(path: Open[], closed: string | undefined): void {
  const { name, elements, text } = path.pop() as Open;
  const outer = path.at(-1);
  if (outer === undefined || name !== closed) throw new InputError('the XML is malformed');
  const isRoot = path.length === 1;
  if (isRoot && elements.size > 0 && text.trim() !== '') throw new InputError('text and elements are mixed');
  const node = elements.size > 0 ? elements : text;
  const before = outer.elements.get(name);
  if (before === undefined) outer.elements.set(name, [node]);
  else before.push(node);
}
