import type { XmlElement } from './xml-element.ts';
import { parseXml } from './xml-parser.ts';
import { scanXml } from './xml-scanner.ts';

/** Reads the `<xml>` of a callback: the usual shape in one pass, any other by the parser. Throws InputError. */
export function readXml(xml: string): XmlElement {
  return scanXml(xml) ?? parseXml(xml);
}
