import { element } from './element.js';
import { linkTo } from './link.js';
import { viewOf } from './view.js';

/** In ASCII, and without the stop that ends a sentence. */
const ADDRESS = /(https?:\/\/[\w.~:/?#[\]@!$&'()*+,;=%-]*[\w/=&#~-])/;
const CHOICE = /^(\d{1,3})([ .、].*)$/;

/** The square picture of a person: the first character of the name. @param {{ name: string, tint: number }} person */
export function avatarOf(person) {
  const avatar = element('span', `avatar tint-${person.tint}`, person.name.slice(0, 1));
  avatar.ariaHidden = 'true';
  return avatar;
}

/** The square picture of the bot. */
export function botAvatar() {
  const image = element('img', 'avatar');
  image.src = '/icon.svg';
  image.alt = '';
  return image;
}

/**
 * One message in its row. Of a text from the bot, a line that begins with a number can be tapped, if there is an `onChoice`, which gets exactly that number.
 * @param {import('./wire.js').Message} message @param {{ name: string, tint: number }} person @param {(number: string) => void} [onChoice]
 */
export function messageRow(message, person, onChoice) {
  const isMine = message.direction === 'out';
  const row = element('div', `row ${message.direction}`);
  const bubble = element('div', message.view ? `bubble ${message.view.kind}` : 'bubble');
  row.dataset.msgid = message.msgid;
  row.dataset.id = `${message.id}`;
  if (isMine) bubble.textContent = message.text;
  else if (message.view) bubble.append(...viewOf(message));
  else bubble.append(...message.text.split('\n').map((line) => lineOf(line, onChoice)));
  row.append(isMine ? avatarOf(person) : botAvatar(), bubble);
  return row;
}

/** The row that shows that the bot is working. */
export function typingRow() {
  const row = element('div', 'row in');
  const bubble = element('div', 'bubble typing');
  bubble.ariaLabel = '正在输入';
  bubble.append(element('i', ''), element('i', ''), element('i', ''));
  row.append(botAvatar(), bubble);
  return row;
}

/** A line whose addresses lead where they say, as on a phone. @param {string} text */
function linkedLine(text) {
  const line = element('div', 'line');
  for (const part of text.split(ADDRESS)) line.append(ADDRESS.test(part) ? linkTo(part, part) : part);
  return line;
}

/** @param {string} line @param {(number: string) => void} [onChoice] */
function lineOf(line, onChoice) {
  const [, number, rest] = CHOICE.exec(line) ?? [];
  // The line of 0 names other keys as well, so a tap on it would not say which one was meant.
  if (onChoice === undefined || number === undefined || Number(number) === 0) return linkedLine(line);
  const choice = element('button', 'choice');
  choice.type = 'button';
  choice.append(element('b', '', number), rest);
  choice.addEventListener('click', () => onChoice(number));
  return choice;
}
