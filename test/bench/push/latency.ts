import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { signRequest } from '../../../src/push/apps/signature.ts';
import type { Lane, NewMessage } from '../../../src/push/content/message.ts';
import { openDatabase } from '../../../src/push/database/database.ts';
import { newId } from '../../../src/push/database/new-id.ts';
import { createIntake } from '../../../src/push/queue/intake.ts';
import type { BenchDatabase } from './servers.ts';

/** Whom to ask, and how often. */
export interface LatencyJob {
  readonly port: number;
  readonly database: BenchDatabase;
  readonly wecomUrl: string;
  readonly messages: number;
}

/** From before a message is handed in until WeCom has the call; ms. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/** How far apart messages are; ms. They do not keep step with any look. */
const APART_MS = 83;

/**
 * Measures how long single messages take, an alert and a normal one in turns: handed to the replica that sends them
 * (`same`), and accepted by another, which does not send (`other`), so that the one that does has to notice.
 */
export async function measureLatency(job: LatencyJob): Promise<ReadonlyMap<string, Latency>> {
  const db = openDatabase(job.database.url);
  const other = createIntake({
    db,
    now: Date.now,
    newId: () => newId(Date.now()),
    onCommitted: () => {},
  });
  const hand: Readonly<Record<string, (text: string, lane: Lane) => Promise<unknown>>> = {
    same: (text, lane) => post(job, { to: { users: [randomUUID()] }, priority: lane, text }),
    other: (text, lane) => other.accept(messageOf(text, lane)),
  };
  const begun = new Map<string, number>();
  // One way after the other: what is handed to the sender would wake it for the other's as well.
  for (const [way, handIn] of Object.entries(hand)) {
    for (let number = 0; number < job.messages; number += 1) {
      for (const lane of ['alert', 'normal'] as const) {
        const text = `latency ${way} ${lane} ${number}`;
        begun.set(text, performance.timeOrigin + performance.now());
        await handIn(text, lane);
        await sleep(APART_MS);
      }
    }
  }
  await sleep(1000);
  await db.destroy();
  const answered = (await (await fetch(`${job.wecomUrl}/arrivals`)).json()) as {
    arrivals: Record<string, number>;
  };
  const times = Map.groupBy(begun, ([text]) => text.split(' ').slice(1, 3).join(' '));
  return new Map(
    [...times].map(([what, some]): [string, Latency] => {
      const ms = some.map(([text, at]) => (answered.arrivals[text] ?? Number.POSITIVE_INFINITY) - at);
      ms.sort((one, another) => one - another);
      const at = (share: number) => ms[Math.floor(ms.length * share)] ?? 0;
      return [what, { p50: at(0.5), p99: at(0.99) }];
    }),
  );
}

function messageOf(text: string, lane: Lane): NewMessage {
  const receivers = [{ receiver: `user:${randomUUID()}` }] as const;
  return { app: 'bench', lane, content: { text }, receivers, requestHash: 'a'.repeat(64) };
}

async function post({ port, database }: LatencyJob, message: object): Promise<void> {
  const body = JSON.stringify(message);
  const unsigned = { method: 'POST', target: '/v1/messages', body, now: Date.now(), nonce: randomUUID() };
  const headers = { 'content-type': 'application/json', ...signRequest(database, unsigned) };
  const answer = await fetch(`http://127.0.0.1:${port}/v1/messages`, { method: 'POST', headers, body });
  if (answer.status !== 202) throw new Error(`HTTP ${answer.status}: ${await answer.text()}`);
}
