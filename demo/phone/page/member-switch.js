import { avatarOf } from './bubble.js';
import { element } from './element.js';

/**
 * The switch between members, with a count of what each has not read.
 * @param {HTMLElement} list @param {(import('./wire.js').Person & { tint: number })[]} people @param {(userid: string) => void} onChoose
 */
export function createMemberSwitch(list, people, onChoose) {
  const entries = new Map(people.map((person) => [person.userid, entryOf(person, onChoose)]));
  for (const { button } of entries.values()) {
    const item = document.createElement('li');
    item.append(button);
    list.append(item);
  }
  return {
    /** @param {string} userid */
    choose: (userid) => {
      for (const [id, { button }] of entries) button.ariaCurrent = String(id === userid);
      entries.get(userid)?.setUnread(0);
    },
    /** @param {string} userid @param {number} count */
    setUnread: (userid, count) => entries.get(userid)?.setUnread(count),
  };
}

/** @param {import('./wire.js').Person & { tint: number }} person @param {(userid: string) => void} onChoose */
function entryOf(person, onChoose) {
  const button = element('button', 'person');
  button.type = 'button';
  button.dataset.user = person.userid;
  const name = element('span', '', person.name);
  name.append(element('small', '', person.position));
  const unread = element('span', 'unread');
  unread.hidden = true;
  button.append(avatarOf(person), name, unread);
  button.addEventListener('click', () => onChoose(person.userid));
  return {
    button,
    setUnread: (/** @type {number} */ count) => {
      unread.hidden = count === 0;
      unread.textContent = String(count);
      unread.ariaLabel = `${count} 条未读`;
    },
  };
}
