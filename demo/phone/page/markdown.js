import { element } from './element.js';
import { linkTo } from './link.js';

const PIECE =
  /\*\*(.+?)\*\*|`([^`\n]+)`|\[([^\]\n]+)\]\(([^)\s]+)\)|<font color="(info|comment|warning)">(.*?)<\/font>/g;
const LINE = /^(?:(#{1,6}) +|(> ?))?(.*)$/;

/**
 * The lines of a markdown message, in the few forms that WeCom shows (§4.2). Whatever is none of them stays as it was
 * typed: everything is set as text, nothing as HTML. @param {string} text
 */
export function markdownLines(text) {
  return text.split('\n').map((line) => {
    const [, heading, quote, rest] = LINE.exec(line) ?? [];
    const kind = heading ? 'line heading' : quote ? 'line quote' : 'line';
    const made = element('div', kind);
    made.append(...pieces(rest ?? line));
    return made;
  });
}

/** @param {string} text @returns {(string | HTMLElement)[]} */
function pieces(text) {
  const found = [];
  let at = 0;
  for (const match of text.matchAll(PIECE)) {
    found.push(text.slice(at, match.index), pieceOf(match));
    at = match.index + match[0].length;
  }
  return [...found, text.slice(at)];
}

/** @param {RegExpMatchArray} match */
function pieceOf([, bold, code, title, url, tone, coloured]) {
  if (code !== undefined) return element('code', '', code);
  if (title !== undefined) return linkTo(url, title);
  const made = element(bold === undefined ? 'span' : 'b', bold === undefined ? `tone-${tone}` : '');
  made.append(...pieces(bold ?? coloured));
  return made;
}
