const OPEN = '<xml>';
const CLOSE = '</xml>';
const CDATA = '<![CDATA[';
const CDATA_END = ']]>';

/**
 * Reads the one shape that nearly every callback has: `<xml>` over children that each hold plain text or one CDATA
 * section, no name twice. Anything else gives null, and is left to the parser.
 * One pass, no backtracking.
 */
export function scanXml(xml: string): ReadonlyMap<string, string> | null {
  // A parser turns \r\n into \n: such documents are left to it.
  if (!xml.startsWith(OPEN) || xml.includes('\r')) return null;
  const fields = new Map<string, string>();
  let at = skipSpace(xml, OPEN.length);
  while (!xml.startsWith(CLOSE, at)) {
    const nameEnd = skipName(xml, at + 1);
    if (xml[at] !== '<' || nameEnd === at + 1 || xml[nameEnd] !== '>') return null;
    const name = xml.slice(at + 1, nameEnd);
    const value = scanValue(xml, nameEnd + 1);
    if (value === null || fields.has(name) || !xml.startsWith(`</${name}>`, value.end)) return null;
    fields.set(name, value.text);
    at = skipSpace(xml, value.end + name.length + 3);
  }
  return skipSpace(xml, at + CLOSE.length) === xml.length ? fields : null;
}

/** The value at `from`, and where its closing tag must begin. */
function scanValue(xml: string, from: number): { readonly text: string; readonly end: number } | null {
  if (xml.startsWith(CDATA, from)) {
    const end = xml.indexOf(CDATA_END, from);
    return end === -1 ? null : { text: xml.slice(from + CDATA.length, end), end: end + CDATA_END.length };
  }
  const end = xml.indexOf('<', from);
  const text = xml.slice(from, end);
  return end === -1 || text.includes('&') ? null : { text, end };
}

/** Where a name that begins with a capital ends, as all names of a flat callback do; `from` itself when none begins. */
function skipName(xml: string, from: number): number {
  if (!isBetween(xml.charCodeAt(from), 'A', 'Z')) return from;
  let at = from + 1;
  while (isNameCode(xml.charCodeAt(at))) at += 1;
  return at;
}

function isNameCode(code: number): boolean {
  return isBetween(code, 'a', 'z') || isBetween(code, 'A', 'Z') || code === 0x5f;
}

function isBetween(code: number, first: string, last: string): boolean {
  return code >= first.charCodeAt(0) && code <= last.charCodeAt(0);
}

function skipSpace(xml: string, from: number): number {
  let at = from;
  while (xml[at] === '\n' || xml[at] === ' ' || xml[at] === '\t') at += 1;
  return at;
}
