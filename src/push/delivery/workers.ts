import { DelayedError, type Job, Worker } from 'bullmq';
import { createBatcher } from '../../server/batch.ts';
import type { Redis } from '../../server/redis.ts';
import { type Lane, lanes } from '../content/message.ts';
import type { Claim, Group } from './claim.ts';
import { jobId, queueName, within } from './scheduler.ts';

/** What the workers need. */
export interface WorkersParts {
  readonly openWaiting: () => Redis;
  /** How many calls of one lane are under way at the same time; twice as many jobs run, half of them in the database. */
  readonly concurrency: number;
  readonly claim: (lane: Lane, ids: readonly number[]) => Promise<readonly Claim[]>;
  /** Resolves to when the delivery is to be tried again (Unix ms), or to null. */
  readonly send: (group: Group, own: number) => Promise<number | null>;
  readonly onError: (error: unknown) => void;
}

/** Workers of the three lanes. */
export interface Workers {
  /** Begins no more jobs, and waits for those that run, for a while. */
  close(): Promise<void>;
}

/** A worker that is killed loses its jobs after a lock and two looks at most: within 20 s. */
const LOCK_MS = 10_000;
const LOOK_MS = 5000;
const CLAIMS_IN_A_BATCH = 100;
/** How long jobs that run may take when the process ends; a call of WeCom takes 5 s at most. */
const CLOSE_MS = 12_000;

/** Starts a worker for each lane, so that no lane waits for another. */
export function startWorkers({ openWaiting, concurrency, claim, send, onError }: WorkersParts): Workers {
  const started = lanes.map((lane) => {
    const claimOne = createBatcher<number, Claim>((ids) => claim(lane, ids), {
      size: CLAIMS_IN_A_BATCH,
      parallel: 3,
    });
    const run = async (job: Job, token?: string): Promise<void> => {
      const id = jobId.read(job.id);
      const claimed = await claimOne(id);
      if (claimed.kind === 'nothing') return;
      const next = claimed.kind === 'send' ? await send(claimed.group, id) : null;
      const at = next ?? claimed.at;
      if (at === null) return;
      await job.moveToDelayed(at, token);
      throw new DelayedError();
    };
    const connection = openWaiting();
    connection.on('error', onError);
    const worker = new Worker(queueName(lane), run, {
      connection,
      concurrency: 2 * concurrency,
      lockDuration: LOCK_MS,
      stalledInterval: LOOK_MS,
      maxStalledCount: Number.MAX_SAFE_INTEGER,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
      // No skipVersionCheck: a worker that does not know the version waits for delayed jobs by whole seconds.
      runRetryDelay: 500,
    });
    worker.on('error', onError);
    worker.on('failed', (_job, error) => onError(error));
    return { worker, connection };
  });
  return {
    async close() {
      await Promise.all(
        started.map(async ({ worker, connection }) => {
          await within(CLOSE_MS, worker.close());
          connection.disconnect();
        }),
      );
    },
  };
}
