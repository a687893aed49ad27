import { createChatLog } from './chat-log.js';
import { createComposer } from './composer.js';
import { createMemberSwitch } from './member-switch.js';
import { listen, loadMessages, loadPeople, say } from './wire.js';

const MOST_ITEMS = 1000;
/** WeCom gives the bot 5 s; a little later it is plain that the message is being sent again. */
const SLOW_MS = 5500;

/**
 * One person's phone: what its screen shows in order, how many messages are unread, how many answers are due.
 * @typedef {{ message: import('./wire.js').Message } | { notice: string, isBad?: boolean }} Item
 * @typedef {{ person: import('./wire.js').Person & { tint: number }, items: Item[], unread: number, due: number }} Phone
 */

const byId = (/** @type {string} */ id) => document.getElementById(id);

const people = (await loadPeople()).map((person, index) => ({ ...person, tint: index % 4 }));
/** @type {Map<string, Phone>} */
const phones = new Map();
for (const person of people) {
  const items = (await loadMessages(person.userid)).map((message) => ({ message }));
  phones.set(person.userid, { person, items, unread: 0, due: 0 });
}
const newest = Math.max(
  0,
  ...[...phones.values()].flatMap(({ items }) => items.map(({ message }) => message.id)),
);
let isConnected = true;
let current = phones.get(location.hash.slice(1)) ?? phones.get(people[0].userid);

const composer = createComposer({
  form: byId('composer'),
  keypad: byId('keys'),
  toggle: byId('toggle'),
  onSend: (text) => send(current, text),
});
const log = createChatLog(byId('log'), composer.type);
const switcher = createMemberSwitch(byId('people'), people, (userid) => show(phones.get(userid)));

show(current);
listen(newest, {
  onMessage: receive,
  onRecall: takeBack,
  onState: (connected) => {
    isConnected = connected;
    drawState();
  },
});
tick();
setInterval(tick, 5000);

function drawState() {
  const { isGroup, position } = current.person;
  byId('state').textContent = isConnected ? (isGroup ? position : '应用') : '连接已断开，正在重连…';
  byId('state').classList.toggle('lost', !isConnected);
}

/** @param {Phone} phone */
function show(phone) {
  current = phone;
  phone.unread = 0;
  history.replaceState(null, '', `#${phone.person.userid}`);
  switcher.choose(phone.person.userid);
  const { isGroup, name } = phone.person;
  byId('phone').classList.toggle('readonly', isGroup === true);
  byId('peer').textContent = isGroup ? name : 'Keypad 运维助手';
  drawState();
  composer.type('');
  log.clear();
  log.notice(isGroup ? '这里显示发到群里的消息' : '发送任意消息开始；之后输入数字即可');
  for (const item of phone.items) draw(phone, item);
  log.wait(phone.due > 0);
}

/** @param {import('./wire.js').Message} message */
function receive(message) {
  const phone = phones.get(message.user);
  if (phone === undefined) return;
  const at = phone.items.findIndex((item) => 'message' in item && item.message.id === message.id);
  if (at >= 0) {
    phone.items[at] = { message };
    if (phone === current) log.change(message, phone.person);
    return;
  }
  add(phone, { message });
  if (phone === current || message.direction === 'out') return;
  phone.unread += 1;
  switcher.setUnread(message.user, phone.unread);
}

/** @param {string} msgid */
function takeBack(msgid) {
  for (const phone of phones.values()) {
    phone.items = phone.items.filter((item) => !('message' in item) || !isPush(item.message, msgid));
  }
  log.remove(msgid);
}

/** @param {import('./wire.js').Message} message @param {string} msgid */
function isPush(message, msgid) {
  return message.kind === 'push' && message.msgid === msgid;
}

/** What was typed comes back as an event like everything else; here is only what becomes of it. @param {Phone} phone @param {string} text */
async function send(phone, text) {
  wait(phone, 1);
  const slow = setTimeout(
    () => add(phone, { notice: '5 秒内没有回应，企业微信正在重发同一条消息' }),
    SLOW_MS,
  );
  try {
    const { attempts, problem } = await say(phone.person.userid, text);
    if (problem !== undefined) add(phone, { notice: `没有收到回复：${problem}`, isBad: true });
    else if (attempts > 1) add(phone, { notice: `同一条消息共投递了 ${attempts} 次` });
  } catch (error) {
    add(phone, { notice: `没有发出：${error.message}`, isBad: true });
  } finally {
    clearTimeout(slow);
    wait(phone, -1);
  }
}

/** @param {Phone} phone @param {number} change */
function wait(phone, change) {
  phone.due += change;
  if (phone === current) log.wait(phone.due > 0);
}

/** @param {Phone} phone @param {Item} item */
function add(phone, item) {
  phone.items.push(item);
  if (phone.items.length > MOST_ITEMS) phone.items.shift();
  if (phone === current) draw(phone, item);
}

/** @param {Phone} phone @param {Item} item */
function draw(phone, item) {
  if ('message' in item) log.add(item.message, phone.person);
  else log.notice(item.notice, item.isBad);
}

function tick() {
  byId('time').textContent = new Date().toLocaleTimeString('zh-CN', { hour: 'numeric', minute: '2-digit' });
}
