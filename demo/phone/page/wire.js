/**
 * A message as the server keeps it (demo/wecom/history.ts).
 * @typedef {{ id: number, user: string, direction: 'in' | 'out', kind: 'sent' | 'passive' | 'push', text: string, time: number, msgid: string, cut?: true, view?: import('../../wecom/view.ts').View }} Message
 * @typedef {{ userid: string, name: string, position: string, isGroup?: true }} Person
 * @typedef {{ attempts: number, problem?: string }} Outcome
 */

/** Everybody with a phone, and after them the groups that are written to. @returns {Promise<Person[]>} */
export const loadPeople = async () => [...(await ask('/api/users')), ...(await ask('/api/groups'))];

/** @param {string} user @returns {Promise<Message[]>} */
export const loadMessages = (user) => ask(`/api/messages?user=${encodeURIComponent(user)}`);

/** Sends a text and waits for what became of it. @param {string} user @param {string} text @returns {Promise<Outcome>} */
export const say = (user, text) =>
  ask('/api/say', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user, text }),
  });

/**
 * Listens to the messages of everybody that follow the one with the id `after`; the browser reconnects by itself and misses none.
 * @param {number} after @param {{ onMessage: (message: Message) => void, onRecall: (msgid: string) => void, onState: (connected: boolean) => void }} listeners
 */
export function listen(after, { onMessage, onRecall, onState }) {
  const events = new EventSource(`/api/events?after=${after}`);
  events.onmessage = (event) => onMessage(JSON.parse(event.data));
  events.addEventListener('recall', (event) => onRecall(JSON.parse(event.data).msgid));
  events.onopen = () => onState(true);
  events.onerror = () => onState(false);
}

/** @param {string} path @param {RequestInit} [init] */
async function ask(path, init) {
  const response = await fetch(path, init);
  const body = await response.json();
  if (!response.ok) throw new Error(body.error ?? `HTTP ${response.status}`);
  return body;
}
