import { fastify } from 'fastify';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLog, type Log } from '../../src/server/log.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const MINUTE_MS = 60_000;

function listen() {
  const lines: string[] = [];
  const log = createLog({ level: 'info', destination: { write: (line) => lines.push(line) } });
  return { log, written: () => lines.splice(0).map((line) => JSON.parse(line)) };
}

const refused = (n = 0) =>
  Object.assign(new Error(`connect ECONNREFUSED 10.0.0.${n}:6379`), { code: 'ECONNREFUSED' });

/** Ways in which the same is said again and again, by any role. */
const repeated: readonly [string, (log: Log, n: number) => void][] = [
  ['an error of a connection', (log, n) => log.warn({ err: refused(n) }, 'redis')],
  ['one of a loop', (log) => log.error({ err: new Error('Command timed out') }, 'in the background')],
  ['one alone', (log) => log.error(new Error('Command timed out'))],
  ['one under another name', (log) => log.error({ error: refused() }, 'broke')],
  ['words alone', (log, n) => log.warn(`the queue is full: ${n} wait`)],
  ['one of many messages', (log, n) => log.error({ id: `${n}0000000-0`, err: refused() }, 'a message broke')],
  [
    'one bound to a child each',
    (log, n) => log.child({ id: `${n}` }).error({ err: refused() }, 'request failed'),
  ],
  ['of many users', (log, n) => log.warn({ user: `user${n}`, err: refused() }, 'departments unknown')],
  [
    'of many keys',
    (log, n) => log.warn({ key: `outcome-${n}`, err: new Error(`Duplicate entry 'x${n}'`) }, 'waits'),
  ],
  ['with a cause', (log, n) => log.warn({ err: new Error('no answer', { cause: refused(n) }) }, 'not yet')],
];

test.each(repeated)('%s is written once, and then once a minute with how often', (_what, say) => {
  const { log, written } = listen();
  for (let n = 0; n < 1000; n += 1) say(log, n);
  const first = written();
  expect(first).toHaveLength(1);
  expect(first[0]).not.toHaveProperty('repeated');
  vi.advanceTimersByTime(MINUTE_MS - 1);
  expect(written()).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(written()).toMatchObject([{ level: first[0].level, repeated: 999 }]);
  say(log, 0);
  vi.advanceTimersByTime(MINUTE_MS);
  expect(written()).toMatchObject([{ repeated: 1 }]);
  vi.advanceTimersByTime(MINUTE_MS);
  expect(written()).toEqual([]);
  say(log, 0);
  expect(written()).toEqual([expect.not.objectContaining({ repeated: expect.anything() })]);
});

test('what is not the same is written, each first of its kind', () => {
  const { log, written } = listen();
  const all: (() => void)[] = [
    () => log.warn({ err: refused() }, 'redis'),
    () => log.error({ err: refused() }, 'redis'),
    () => log.warn({ err: refused() }, 'mysql'),
    () => log.warn({ err: new TypeError('connect ECONNREFUSED 10.0.0.0:6379') }, 'redis'),
    () => log.warn({ err: new Error('LOADING Redis is loading') }, 'redis'),
    () => log.warn({ err: refused(), account: 'shop' }, 'redis'),
    () => log.child({ part: 'ops' }).warn({ err: refused() }, 'redis'),
    () => log.warn({ check: 'redis' }, 'not ready'),
    () => log.warn({ check: 'mysql' }, 'not ready'),
    () => log.warn({ err: new Error('down', { cause: refused() }) }, 'redis'),
    () => log.warn({ err: new Error('down', { cause: new Error('late') }) }, 'redis'),
  ];
  for (const say of all) say();
  expect(written()).toHaveLength(all.length);
});

test('what is no error is written each time', () => {
  const { log, written } = listen();
  for (let n = 0; n < 3; n += 1) log.info({ result: 'reply' }, 'callback');
  expect(written()).toHaveLength(3);
});

test('the number that a person was told is found, whatever was braked', () => {
  const { log, written } = listen();
  const ids = ['46f6ffd8-2769-4ced', '0a6a6ffd-2769-4ced', 'bb6a6ffd-2769-4ced'];
  for (const id of ids) log.error({ id, err: new TypeError('x is undefined') }, 'a message broke');
  vi.advanceTimersByTime(MINUTE_MS);
  const text = JSON.stringify(written());
  for (const id of ids) expect(text).toContain(id.slice(0, 8));
});

test('kinds without end are few lines a minute', () => {
  const { log, written } = listen();
  const letters = (n: number) => n.toString(36).replace(/\d/g, (digit) => 'ghijklmnop'[Number(digit)] ?? '');
  for (let n = 0; n < 85_000; n += 1)
    log.warn({ err: new Error(`${letters(n)} ${'z'.repeat(n % 97)}`) }, 'odd');
  expect(written().length).toBeLessThan(600);
  vi.advanceTimersByTime(MINUTE_MS);
  expect(written().length).toBeLessThan(600);
});

test('the lines of Fastify are braked too', async () => {
  const { log, written } = listen();
  const app = fastify({ loggerInstance: log });
  app.get('/', async (request) => {
    request.log.error({ err: refused() }, 'request failed');
    return '';
  });
  for (let n = 0; n < 5; n += 1) await app.inject('/');
  await app.close();
  expect(written().filter(({ level }) => level === 'error')).toHaveLength(1);
});
