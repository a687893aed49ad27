import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';

/**
 * The floor of delivery: BullMQ alone, whose jobs call the same WeCom with the same concurrency, and note nothing.
 * `node bare-bullmq.ts REDIS_URL WECOM_URL CONCURRENCY JOBS`; prints { seconds } for the jobs after the first tenth.
 */
const [redisUrl = '', weComUrl = '', concurrency, jobs] = process.argv.slice(2);
const name = `bare-${process.pid}`;
const total = Number(jobs);
const connection = () => new Redis(redisUrl, { maxRetriesPerRequest: null });
const queue = new Queue(name, { connection: connection() });
const url = `${weComUrl}/cgi-bin/message/send?access_token=bench`;
for (let from = 0; from < total; from += 1000) {
  await queue.addBulk(
    Array.from({ length: Math.min(1000, total - from) }, (_, i) => ({
      name: 'send',
      data: { touser: `bench${from + i}` },
      opts: { jobId: `d${from + i}`, removeOnComplete: true },
    })),
  );
}
let done = 0;
let started = 0;
const warm = Math.floor(total / 10);
const worker = new Worker(
  name,
  async ({ data }) => {
    const body = { touser: data.touser, msgtype: 'text', agentid: 1, text: { content: 'bench' } };
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const { errcode } = (await answer.json()) as { errcode: number };
    if (errcode !== 0) throw new Error('the bench server refused');
    done += 1;
    if (done === warm) started = performance.now();
    if (done < total) return;
    console.log(JSON.stringify({ seconds: (performance.now() - started) / 1000, jobs: total - warm }));
    process.exit(0);
  },
  { connection: connection(), concurrency: Number(concurrency) },
);
worker.on('failed', (_job, error) => {
  throw error;
});
