import { once } from 'node:events';
import { fastify } from 'fastify';
import { drainOnClose } from '../../src/server/drain.ts';
import { createLog } from '../../src/server/log.ts';
import { closeOnSignal } from '../../src/server/shutdown.ts';

/** A server whose only request is answered when a line arrives on standard input. */
const app = fastify();
drainOnClose(app);
const log = createLog({ level: 'info' });
app.get('/', async () => {
  process.stdout.write('request begun\n');
  await once(process.stdin, 'data');
  return 'finished';
});
closeOnSignal([{ name: 'requests', close: () => app.close() }], log);
process.stdout.write(`listening on ${await app.listen({ host: '127.0.0.1', port: 0 })}\n`);
