import { setTimeout as sleep } from 'node:timers/promises';
import { createBreaker } from '../../../src/push/accounts/breaker.ts';
import { createPause } from '../../../src/push/accounts/pause.ts';
import type { NewMessage } from '../../../src/push/content/message.ts';
import { openDatabase } from '../../../src/push/database/database.ts';
import { migrate } from '../../../src/push/database/migrations.ts';
import { newId } from '../../../src/push/database/new-id.ts';
import type { Media } from '../../../src/push/media/media.ts';
import { windowsOf } from '../../../src/push/queue/limits.ts';
import { createDelivery } from '../../../src/push/sending/delivery.ts';
import type { Messenger } from '../../../src/wecom/api/messenger.ts';

/**
 * The limit of the queue itself: what claiming and recording alone can do, with calls that are answered at once and no HTTP.
 * `node store.ts MYSQL_URL CONCURRENCY MESSAGES`; prints { seconds } for a backlog of so many messages with a receiver each.
 */
const [url = '', concurrency, messages] = process.argv.slice(2);
const db = openDatabase(url);
await migrate(db);
const invalid = { users: [], parties: [], tags: [] };
let taken = 0;
const messenger = {
  send: async () => {
    taken += 1;
    return { msgid: `m${taken}`, invalid, unlicensed: [] };
  },
} as unknown as Messenger;
const now = Date.now;
const account = {
  messenger,
  accountLimit: () => 10_000_000,
  breaker: createBreaker({ now, onChange: () => {} }),
  pause: createPause({ now, random: Math.random, onChange: () => {} }),
};
const delivery = createDelivery({
  db,
  accounts: { find: () => account },
  robots: {},
  media: {} as Media,
  webhooks: { note: async () => {}, wake: () => {} },
  isDisabled: async () => false,
  fill: (content) => content,
  windowsOf: (receiver) => windowsOf(receiver),
  concurrency: Number(concurrency),
  now,
  newId: () => newId(now()),
  random: Math.random,
  sleep,
  onAttempt: () => {},
  onLimit: () => {},
  onWait: () => {},
  onError: (error) => console.error(error),
});
const message = (number: number): NewMessage => ({
  app: 'bench',
  lane: 'normal',
  content: { text: `message ${number}` },
  receivers: [{ receiver: `user:bench${number}` }],
  requestHash: 'a'.repeat(64),
});
await Promise.all(Array.from({ length: Number(messages) }, (_, number) => delivery.accept(message(number))));
const started = performance.now();
delivery.start();
while (taken < Number(messages)) await sleep(5);
console.log(JSON.stringify({ seconds: (performance.now() - started) / 1000 }));
await delivery.close();
await db.destroy();
