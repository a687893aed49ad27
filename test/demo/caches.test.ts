import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningCaches, startCaches } from '../../demo/caches.ts';

let caches: RunningCaches;
beforeAll(async () => {
  caches = await startCaches({ port: 0, token: 'a-token' });
});
afterAll(async () => {
  await caches.stop().catch(() => {});
});

const send = (method: string, path: string, { token = 'a-token', id = '' } = {}) =>
  fetch(`${caches.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(id && { 'idempotency-key': id }) },
  });
const control = (fault: string) =>
  fetch(`${caches.url}/control`, { method: 'POST', body: JSON.stringify({ fault }) });

test('wants its token', async () => {
  expect((await send('GET', '/shop/caches', { token: 'another' })).status).toBe(401);
  expect((await send('GET', '/shop/caches')).status).toBe(200);
});

test('empties a cache once for each id, and not at all for one that is closed', async () => {
  const flush = (id: string) => send('POST', '/shop/caches/goods/flush', { id });
  expect(await (await flush('first')).json()).toEqual({ flushed: 1280 });
  expect(await (await flush('first')).json()).toEqual({ flushed: 1280 });
  expect(caches.flushes()).toBe(1);
  const close = async (id: string) => (await send('POST', `/shop/operations/${id}/close`)).json();
  expect(await close('first')).toEqual({ applied: true, closed: true });
  expect(await close('second')).toEqual({ applied: false, closed: true });
  expect((await flush('second')).status).toBe(409);
  expect(caches.flushes()).toBe(1);
});

test('fails as it is told to: an error without effect, an effect without answer, and neither', async () => {
  const flush = (id: string) => send('POST', '/pay/caches/price/flush', { id });
  const before = caches.flushes();
  await control('fail');
  expect((await flush('a')).status).toBe(500);
  expect(caches.flushes()).toBe(before);
  await control('lose');
  await expect(flush('b')).rejects.toThrow();
  expect(caches.flushes()).toBe(before + 1);
  await control('hang');
  const answered = flush('c').catch(() => 'ended');
  await expect.poll(() => caches.requests.at(-1)?.headers['idempotency-key']).toBe('c');
  await control('none');
  expect((await flush('d')).status).toBe(200);
  await caches.stop();
  expect(await answered).toBe('ended');
  expect(caches.flushes()).toBe(before + 2);
});
