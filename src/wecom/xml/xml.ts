import type { XmlElement } from './element.ts';
import { parseXml } from './parser.ts';
import { scanXml } from './scanner.ts';

/** Reads the `<xml>` of a callback: the usual shape in one pass, any other by the parser. Throws InputError. */
export function readXml(xml: string): XmlElement {
  return scanXml(xml) ?? parseXml(xml);
}
