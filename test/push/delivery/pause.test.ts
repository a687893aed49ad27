import { expect, test } from 'vitest';
import { createPause, type Pass, type Paused } from '../../../src/push/accounts/pause.ts';
import { WeComError } from '../../../src/wecom/api/wecom-error.ts';

const START = 1_767_225_600_000;
const untrusted = new WeComError('message/send', 60020, 'not allow to access from your ip, from ip: 1.2.3.4');

/** A pause whose clock is moved by hand and whose jitter is in the middle. */
function open() {
  const clock = { now: START };
  const changes: (Paused | null)[] = [];
  const pause = createPause({
    now: () => clock.now,
    random: () => 0.5,
    onChange: (paused) => changes.push(paused),
  });
  const enter = (): Pass => {
    const pass = pause.enter();
    if ('at' in pass) throw new Error(`the account is paused until ${pass.at - START} ms`);
    return pass;
  };
  return { ...pause, enter, ask: pause.enter, clock, changes };
}

test('a refusal begins it once, with the reason and what to do', () => {
  const pause = open();
  const [one, other] = [pause.enter(), pause.enter()];
  expect(one.refused(untrusted)).toBe(START + 5000);
  expect(other.allows()).toBe(false);
  expect(other.refused(untrusted)).toBe(START + 5000);
  expect(pause.changes).toEqual([pause.state()]);
  expect(pause.state()).toMatchObject({ since: START, errcode: 60020, nextProbeAt: START + 5000 });
  expect(pause.state()?.advice).toContain('1.2.3.4');
  expect(pause.ask()).toEqual({ at: START + 5000 });
});

test.each([
  [
    'a secret that is wrong',
    new WeComError('gettoken', 40001, 'no'),
    [5, 10, 20, 40, 80, 160, 300, 300, 300],
  ],
  ['what is mended in the console', untrusted, [5, 10, 20, 40, 60, 60]],
  ['an app that is disabled', new WeComError('message/send', 50003, 'no'), [5, 10, 20, 40, 60, 60]],
  ['tokens that do not hold', new WeComError('message/send', 40014, 'no'), [5, 10, 10]],
])(
  'because of %s one call probes at a time, after 5 s, and twice as long each time up to a limit',
  (_, error, seconds) => {
    const pause = open();
    pause.enter().refused(error);
    const waits: number[] = [];
    while (waits.length < seconds.length) {
      const before = pause.clock.now;
      pause.clock.now = pause.state()?.nextProbeAt ?? 0;
      waits.push(pause.clock.now - before);
      const probe = pause.enter();
      expect(pause.ask()).toEqual({ at: pause.clock.now + 1000 });
      probe.refused(error);
    }
    expect(waits).toEqual(seconds.map((each) => each * 1000));
    expect(pause.changes).toHaveLength(1);
  },
);

test('the probe that WeCom takes ends it for all', () => {
  const pause = open();
  pause.enter().refused(untrusted);
  pause.clock.now += 5000;
  pause.enter().accepted();
  expect(pause.state()).toBeNull();
  expect(pause.changes.at(-1)).toBeNull();
  expect([pause.enter().allows(), pause.enter().allows()]).toEqual([true, true]);
});

test('a call from before it neither ends nor prolongs it', () => {
  const pause = open();
  const [early, first] = [pause.enter(), pause.enter()];
  first.refused(untrusted);
  early.accepted();
  early.release();
  expect(pause.state()).toMatchObject({ nextProbeAt: START + 5000 });
});

test('a probe that learned nothing is followed by another, after as long again', () => {
  const pause = open();
  pause.enter().refused(untrusted);
  pause.clock.now += 5000;
  pause.enter().release();
  expect(pause.ask()).toEqual({ at: START + 10_000 });
  pause.clock.now += 5000;
  expect(pause.enter().allows()).toBe(true);
});
