import { element } from './element.js';

/**
 * A link that opens beside the page; what is no http address is shown as text only, so that nothing runs on a tap.
 * @param {string} url @param {string} title
 */
export function linkTo(url, title) {
  if (!/^https?:\/\//i.test(url)) return element('span', '', title);
  const link = element('a', 'link', title);
  link.href = url;
  link.target = '_blank';
  link.rel = 'noopener noreferrer';
  link.title = url;
  return link;
}
