import { fastify } from 'fastify';
import { Redis } from 'ioredis';

/** The floor: a bare Fastify that does one EVALSHA a request, on the same connection settings. `node floor.ts PORT REDIS_URL`. */
const [port, redisUrl, pipelining] = process.argv.slice(2);
const redis = new Redis(redisUrl as string, { enableAutoPipelining: pipelining === 'pipelined' });
const sha = (await redis.script('LOAD', "return redis.call('SET', KEYS[1], ARGV[1], 'EX', '600')")) as string;
const app = fastify();
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
let requests = 0;
app.post('/wecom/callback', async (_request, reply) => {
  requests += 1;
  await redis.evalsha(sha, 1, `floor:${requests % 1000}`, '1');
  return reply.type('text/plain').send('ok');
});
app.get('/readyz', async () => 'ready\n');
await app.listen({ host: '127.0.0.1', port: Number(port) });
