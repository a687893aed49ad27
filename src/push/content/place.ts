import { InputError } from '../../errors.ts';
import { hostOf, unlinked, withEdges, withoutEdges } from './unlinked.ts';

/** One place of a template, and what is to stand there. */
export interface Place {
  readonly name: string;
  readonly type: 'url' | 'text' | 'host' | undefined;
  readonly value: string;
  /** What stands before it in its part of the string, as the template has it. */
  readonly before: string;
}

/** Fills the places of a part of a string. */
type Put = (part: string, by: (place: Place) => string) => string;

/** Addresses in running text: those of links, what has a scheme, and values that are to be addresses. */
const ADDRESS =
  /(?<=\]\(\s{0,8})[^)\s]+|(?<=\bhref\s{0,8}=\s{0,8}["']?)[^"'\s>]+|(?:[a-z][a-z0-9+.-]*:\/\/|\$\{[A-Z][A-Z0-9_]*:url\})[\x21\x23-\x26\x2a-\x3b\x3d\x3f-\x5a\x5c\x5e-\x7e]*/gi;
/** An address as far as its host is settled by the template. */
const PAST_HOST = /^(?:[a-z][a-z0-9+.-]*:\/\/[^/?#\\$]+[/?#]|\$\{[A-Z][A-Z0-9_]*:url\})/i;
/** WeCom knows no way to escape its marks: what looks like them stands there instead. */
const MARKS: Readonly<Record<string, string>> = {
  '<': '＜',
  '>': '＞',
  '[': '［',
  ']': '］',
  '`': '｀',
  '*': '＊',
};

/** Fills one string, which stands under this key of a content. Throws an InputError. */
export function fillString(template: string, key: string, put: Put): string {
  const text = withoutEdges(template);
  if (/url$/i.test(key)) return put(text, inAddress);
  if (key === 'pagepath') return put(text, ({ value }) => encoded(value));
  if (key === 'appid') return put(text, refused('appid may not be made of a value'));
  if (key === 'mentioned') return withoutAll(text, put(text, asWord));
  let filled = '';
  let from = 0;
  const words = (to: number): void => {
    const head = text.slice(0, from);
    // The template's own addresses are not in here.
    filled += unlinked(put(text.slice(from, to), (place) => inWords(place, head, key === 'markdown')));
  };
  for (const { 0: address, index } of text.matchAll(ADDRESS)) {
    words(index);
    filled += put(address, inAddress);
    from = index + address.length;
  }
  words(text.length);
  return withoutAll(text, filled);
}

/** What was filled, when it calls everybody no more often than the template does. */
function withoutAll(template: string, filled: string): string {
  const count = (text: string): number => text.match(/<@all>|^@all$/gi)?.length ?? 0;
  if (count(filled) > count(template)) throw new InputError('variables: a value may not call @all');
  return filled;
}

function inWords(place: Place, head: string, isMarkdown: boolean): string {
  const { name, type, value } = place;
  const before = head + place.before;
  if (before.lastIndexOf('<') > before.lastIndexOf('>')) return asWord(place);
  if (type === 'host') return hostOf(name, value);
  const lines = type === 'text' ? value : value.replace(/[\r\n\u0085\u2028\u2029]+/g, ' ');
  if (!isMarkdown) return withEdges(lines.replaceAll('<', '＜'));
  const marked = lines.replace(/[<>[\]`*]/g, (mark) => MARKS[mark] ?? mark);
  return withEdges(marked.replace(/^\s*#+/gm, (mark) => mark.replaceAll('#', '＃')));
}

function inAddress(place: Place): string {
  const { name, type, value, before } = place;
  if (type === 'url' && before === '') return addressOf(place);
  if (!PAST_HOST.test(before)) {
    const how = `the host of a link is not made of \${${name}}; write it into the template, or let \${${name}:url} be the whole address`;
    return refused(how)(place);
  }
  if (/^[^?#]*[/}]$/.test(before) && /^\.{1,2}$/.test(value))
    return refused('a part of a link may not be . or ..')(place);
  return encoded(value);
}

function asWord(place: Place): string {
  const { value } = place;
  if (/^\w[\w.@-]{0,63}$/.test(value) && value.toLowerCase() !== 'all') return value;
  return refused('stands where only one word of letters, digits and _ . @ - may, and not all')(place);
}

/** An address of a value as it stands in any text: nothing in it ends it. */
function addressOf(place: Place): string {
  const url = URL.parse(place.value);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    return refused('must be an http or https address without a login')(place);
  }
  return url.href.replace(/[()'"<>`*\\]/g, percent);
}

const encoded = (value: string): string =>
  encodeURIComponent(value.toWellFormed()).replace(/[!'()*]/g, percent);

const percent = (sign: string): string => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`;

const refused =
  (why: string) =>
  ({ name }: Place): never => {
    throw new InputError(`variables: ${name}: ${why}`);
  };
