import { expect, test } from 'vitest';
import { loadFiles } from './sources.ts';

test('nobody asks Fastify where a request comes from: it would name the proxy, or believe what it should not', () => {
  const asking = loadFiles('src/**/*.ts').filter(({ text }) =>
    /\b(request|req)\.(ips?|hostname|protocol)\b|\bips?\b[^()]*\}: FastifyRequest|trustProxy/.test(text),
  );
  expect(asking.map(({ path }) => path)).toEqual([]);
});
