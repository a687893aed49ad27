import { element } from './element.js';
import { linkTo } from './link.js';
import { markdownLines } from './markdown.js';

/**
 * What stands in the bubble of a message that is more than its text, in the shapes of demo/wecom/view.ts.
 * @param {import('./wire.js').Message} message @returns {HTMLElement[]}
 */
export function viewOf({ text, view }) {
  switch (view.kind) {
    case 'markdown':
      return markdownLines(text);
    case 'image':
      return [pictureOf(view.src)];
    case 'file':
      return [fileOf(view)];
    case 'card':
      return cardOf(view);
    case 'news':
      return view.articles.map(articleOf);
    default:
      return [element('div', 'line', text)];
  }
}

/** @param {string} src */
function pictureOf(src) {
  const picture = element('img', 'picture');
  picture.src = src;
  picture.alt = '图片';
  return picture;
}

/** @param {{ name: string, bytes: number, src: string }} file */
function fileOf({ name, bytes, src }) {
  const link = element('a', 'file');
  link.href = src;
  link.download = name;
  link.append(element('b', '', name), element('small', '', sizeOf(bytes)));
  return link;
}

/** @param {Extract<import('../../wecom/view.ts').View, { kind: 'card' }>} card */
function cardOf({ source, title, lines, rows, links, buttons }) {
  const table = element('dl', 'pairs');
  for (const [name, value] of rows) table.append(element('dt', '', name), element('dd', '', value));
  const foot = element('div', 'links');
  foot.append(...links.map((link) => linkTo(link.url, link.title)));
  // A tap on a button would be a callback that nobody here sends.
  foot.append(...buttons.map((text) => element('span', 'button', text)));
  return [
    ...(source ? [element('div', 'source', source)] : []),
    element('div', 'heading', title),
    ...lines.map((line) => element('div', `line tone-${line.tone ?? 'normal'}`, line.text)),
    ...(rows.length > 0 ? [table] : []),
    ...(foot.childElementCount > 0 ? [foot] : []),
  ];
}

/** @param {{ title: string, description: string, url: string }} article */
function articleOf({ title, description, url }) {
  const article = element('div', 'article');
  article.append(linkTo(url, title), element('div', 'tone-gray', description));
  return article;
}

/** @param {number} bytes */
function sizeOf(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 * 1024 ? `${Math.round(bytes / 1024)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
