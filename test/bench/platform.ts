import { createServer } from 'node:http';
import { CATALOGUE } from '../../src/contract/catalogue.ts';
import { catalogue } from '../helpers/operations.ts';

/** A platform that grants everything in one unit and answers at once: the bench measures the bot. */
export async function startPlatform(port: number): Promise<() => Promise<void>> {
  const rights = { 电商: catalogue.entries.map(({ name }) => name) };
  const outputs: Readonly<Record<string, unknown>> = {
    me: rights,
    'units.list': ['电商'],
    [CATALOGUE]: { generation: catalogue.generation, policy: 'bench', operations: catalogue.entries },
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
