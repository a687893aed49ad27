import { messageRow, typingRow } from './bubble.js';
import { element } from './element.js';

const QUIET_MS = 5 * 60_000;
const MOST_ROWS = 1000;

/**
 * The conversation on the screen: messages, the times between them, notices, and the dots while the bot is working.
 * @param {HTMLElement} log @param {(number: string) => void} onChoice
 */
export function createChatLog(log, onChoice) {
  const typing = typingRow();
  let lastTime = 0;

  const append = (/** @type {HTMLElement[]} */ ...rows) => {
    const isTyping = typing.isConnected;
    log.append(...rows);
    if (isTyping) log.append(typing);
    while (log.childElementCount > MOST_ROWS) log.firstElementChild.remove();
    log.scrollTop = log.scrollHeight;
  };

  return {
    clear: () => {
      log.replaceChildren();
      lastTime = 0;
    },
    /** @param {import('./wire.js').Message} message @param {import('./wire.js').Person & { tint: number }} person */
    add: (message, person) => {
      if (message.time - lastTime > QUIET_MS) append(element('div', 'when', timeOf(message.time)));
      lastTime = message.time;
      const row = messageRow(message, person, person.isGroup ? undefined : onChoice);
      // A number means what the newest screen says; news that carries no numbers leaves that screen as it is.
      if (message.kind === 'passive' || row.querySelector('.choice') !== null) {
        for (const choice of log.querySelectorAll('.choice')) choice.disabled = true;
      }
      append(row);
      if (message.cut) append(element('div', 'notice', '超过 2048 字节，企业微信已截断'));
    },
    /** Shows a message anew that has changed. @param {import('./wire.js').Message} message @param {import('./wire.js').Person & { tint: number }} person */
    change: (message, person) => {
      log.querySelector(`.row[data-id="${message.id}"]`)?.replaceWith(messageRow(message, person));
    },
    /** Takes a message off the screen. @param {string} msgid */
    remove: (msgid) => {
      for (const row of log.querySelectorAll('.row.in')) if (row.dataset.msgid === msgid) row.remove();
    },
    /** @param {string} text @param {boolean} [isBad] */
    notice: (text, isBad = false) => append(element('div', isBad ? 'notice bad' : 'notice', text)),
    /** @param {boolean} isWaiting */
    wait: (isWaiting) => {
      if (isWaiting) append(typing);
      else typing.remove();
    },
  };
}

/** The time as chats write it: the hour today, the day before that. @param {number} time */
function timeOf(time) {
  const date = new Date(time);
  const hour = date.toLocaleTimeString('zh-CN', { hour: '2-digit', minute: '2-digit' });
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday ? hour : `${date.getMonth() + 1}月${date.getDate()}日 ${hour}`;
}
