import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { decideCheck } from '../../../src/push/sending/repeats.ts';
import { CHECK_SECONDS } from '../../../src/push/sending/repeats-store.ts';
import { WeComError } from '../../../src/wecom/api/wecom-error.ts';
import { eventually, textTo, useDeliveryHarness } from './delivery-harness.ts';
import type { Sent } from './scripted-wecom.ts';

const harness = useDeliveryHarness();

/**
 * WeCom with its check for repeats, in two readings of §4.2, which does not say what a checked message is compared with:
 * those that were checked themselves, or all. A repeat is anything of the same words to one of the same receivers.
 */
const readings = ['those that were checked', 'all'] as const;

interface Repeating {
  /** What has arrived, as `receiver words`. */
  readonly arrived: string[];
  /** Lets so many seconds pass: all that is written down is that much older. */
  wait(seconds: number): Promise<void>;
  /** The answers to so many calls from now on are lost, after the call was done. */
  lose(count: number): void;
}

function repeating(comparedWith: (typeof readings)[number]): Repeating {
  let [shift, losing] = [0, 0];
  const seen = new Map<string, number>();
  const arrived: string[] = [];
  harness.weCom.script = ({ to, message, onceWithinSeconds: checked }: Sent) => {
    for (const receiver of to) {
      const said = `${receiver} ${message.body.content}`;
      if (checked !== undefined && Date.now() + shift < (seen.get(said) ?? 0)) continue;
      arrived.push(said);
      if (checked !== undefined || comparedWith === 'all') {
        seen.set(said, Date.now() + shift + (checked ?? CHECK_SECONDS) * 1000);
      }
    }
    if (losing === 0) return undefined;
    losing -= 1;
    throw new WeComError('message/send', 'lost', 'no answer');
  };
  return {
    arrived,
    async wait(seconds) {
      const ms = seconds * 1000;
      shift += ms;
      await harness.db
        .updateTable('attempts')
        .set((is) => ({ ended_at: is('ended_at', '-', ms) }))
        .execute();
      await harness.db
        .updateTable('deliveries')
        .set((is) => ({ due_at: is('due_at', '-', ms) }))
        .execute();
      await harness.db
        .updateTable('delivery_lines')
        .set((is) => ({ due_at: is('due_at', '-', ms) }))
        .execute();
    },
    lose: (count) => {
      losing = count;
    },
  };
}

for (const reading of readings) {
  test(`an answer that got lost is not a second message (compared with ${reading})`, async () => {
    const weCom = repeating(reading);
    const replica = harness.start();
    weCom.lose(2);
    const id = await harness.send(replica, textTo('anna', 'hello'));
    expect(weCom.arrived).toEqual(['user:anna hello']);
    expect(harness.weCom.sent.map(({ onceWithinSeconds }) => onceWithinSeconds)).toEqual(
      Array(3).fill(CHECK_SECONDS),
    );
    expect(await harness.deliveries(id)).toMatchObject([{ state: 'sent', maybe_twice: 1 }]);
  });

  test(`the same words twice on purpose both arrive at once, from two replicas (compared with ${reading})`, async () => {
    const weCom = repeating(reading);
    const first = harness.start();
    await harness.send(first, textTo('anna', 'hello'));
    await first.close();
    await weCom.wait(59);
    const second = harness.start();
    await harness.send(second, textTo('anna', 'hello'));
    await harness.send(second, textTo('anna', 'hello', { lane: 'alert' }));
    expect(weCom.arrived).toEqual(Array(3).fill('user:anna hello'));
  });

  test(`the same words twice, the answer of each lost, are two messages and not three (compared with ${reading})`, async () => {
    const weCom = repeating(reading);
    const replica = harness.start();
    weCom.lose(1);
    await harness.send(replica, textTo('anna', 'hello'));
    weCom.lose(1);
    const { id } = await replica.accept(textTo('anna', 'hello'));
    await eventually(async () => (await harness.deliveries(id))[0]?.due_at).toBeGreaterThan(
      Date.now() + 100_000,
    );
    expect(weCom.arrived).toHaveLength(1);
    await replica.close();
    await weCom.wait(CHECK_SECONDS + 6);
    const second = harness.start();
    expect(await second.finished(id, 10_000)).toBe(true);
    expect(weCom.arrived).toEqual(Array(2).fill('user:anna hello'));
    expect(harness.weCom.sent).toHaveLength(4);
  });

  test(`a call for many is sent unchecked only to those who had the same (compared with ${reading})`, async () => {
    const weCom = repeating(reading);
    const replica = harness.start();
    await harness.send(replica, textTo('ben', 'hello'));
    weCom.lose(1);
    await harness.send(replica, textTo(['anna', 'ben', 'carl'], 'hello'));
    const calls = harness.weCom.sent.map(({ to, onceWithinSeconds }) => [to.join(), onceWithinSeconds]);
    expect(calls.slice(1).filter(([, check]) => check !== undefined)).toEqual([
      ['user:anna,user:carl', CHECK_SECONDS],
      ['user:anna,user:carl', CHECK_SECONDS],
    ]);
    expect(weCom.arrived.toSorted()).toEqual([
      'user:anna hello',
      'user:ben hello',
      'user:ben hello',
      'user:carl hello',
    ]);
  });
}

test('two lanes that send to one person at the same moment do not know what the other says: neither is dropped', async () => {
  const weCom = repeating('all');
  const { script } = harness.weCom;
  harness.weCom.script = async (sent) => {
    const answer = script(sent);
    await sleep(300);
    return answer;
  };
  const replicas = [harness.start(), harness.start()] as const;
  await Promise.all([
    harness.send(replicas[0], textTo('anna', 'hello')),
    harness.send(replicas[1], textTo('anna', 'hello', { lane: 'alert' })),
  ]);
  expect(weCom.arrived).toHaveLength(2);
});

test('two parts of one message that read the same both arrive', async () => {
  const weCom = repeating('those that were checked');
  const replica = harness.start();
  await harness.send(replica, textTo('anna', 'x'.repeat(4096)));
  expect(weCom.arrived).toHaveLength(2);
});

test('what was said is forgotten once nothing can be mistaken for it', async () => {
  const weCom = repeating('all');
  const replica = harness.start();
  await harness.send(replica, textTo('anna', 'hello'));
  await weCom.wait(CHECK_SECONDS + 6);
  await harness.send(replica, textTo('anna', 'hello'));
  expect(harness.weCom.sent.map(({ onceWithinSeconds }) => onceWithinSeconds)).toEqual([
    CHECK_SECONDS,
    CHECK_SECONDS,
  ]);
  expect(weCom.arrived).toHaveLength(2);
});

test.each([
  ['nothing else reads the same', [], false, false, 'checked'],
  ['something else does', [{ at: 1000, lost: 0 }], false, false, 'unchecked'],
  ['another lane is sending something', [], true, false, 'unchecked'],
  ['an answer to something else was lost', [{ at: 1000, lost: 1 }], false, false, { wait: 186_000 }],
  ['the answer to an earlier try was lost as well', [{ at: 1000, lost: 1 }], false, true, 'unchecked'],
])('where %s, a part is sent accordingly', (_when, others, isBusy, isRetry, expected) => {
  expect(decideCheck(others, isBusy, isRetry)).toEqual(expected);
});
