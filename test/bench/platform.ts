import { createServer } from 'node:http';
import { contract } from '../../src/contract/index.ts';

/** A platform that grants everything in one unit and answers at once: the bench measures the bot. */
export async function startPlatform(port: number): Promise<() => Promise<void>> {
  const rights = { 电商: Object.keys(contract) };
  const outputs: Readonly<Record<string, unknown>> = {
    me: rights,
    'units.list': ['电商'],
    'outcomes.claim': [],
    'outcomes.told': {},
  };
  const server = createServer((request, response) => {
    request.resume().once('end', () => {
      const output = outputs[request.url?.split('/').at(-1) ?? ''];
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ state: 'done', output }));
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return () => new Promise((resolve) => server.close(() => resolve()) && server.closeAllConnections());
}
