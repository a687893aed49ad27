import { once } from 'node:events';
import { createHttpServer } from '../../src/server/http-server.ts';
import { createLog } from '../../src/server/log.ts';
import { closeOnSignal } from '../../src/server/shutdown.ts';

/** A server whose only request is answered when a line arrives on standard input. */
const log = createLog({ level: 'info' });
const app = createHttpServer({
  log,
  trustedProxies: [],
  requestTimeout: 10_000,
  serves: 'POST /',
  refuse: (_as, _request, reply) => reply.send(),
});
app.get('/', async () => {
  process.stdout.write('request begun\n');
  await once(process.stdin, 'data');
  return 'finished';
});
closeOnSignal([{ name: 'requests', close: () => app.close() }], log);
process.stdout.write(`listening on ${await app.listen({ host: '127.0.0.1', port: 0 })}\n`);
