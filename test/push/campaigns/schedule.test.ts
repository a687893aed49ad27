import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkSchedule, nextRun } from '../../../src/push/campaigns/schedule.ts';
import { handedOut, MONDAY, openCampaignHarness, users } from './campaign-harness.ts';

const HOUR = 3_600_000;
const timezone = 'Asia/Shanghai';

describe('when a schedule comes', () => {
  const next = (schedule: object, id = 'a') => nextRun({ id, schedule: JSON.stringify(schedule) }, MONDAY);
  test.each([
    ['0 9 * * 1-5', '2026-11-24T09:00'],
    ['30 10 * * *', '2026-11-23T10:30'],
    ['0 0 1 * *', '2026-12-01T00:00'],
  ])(
    '%s: a little after the full or half hour, as long for each run, but not the same for all',
    (cron, at) => {
      const due = Date.parse(`${at}:00+08:00`);
      const offsets = ['a', 'b', 'c', 'd'].map((id) => (next({ cron, timezone }, id) ?? 0) - due);
      for (const offset of offsets) expect(offset).toBeGreaterThanOrEqual(5000);
      for (const offset of offsets) expect(offset).toBeLessThan(60_000);
      expect(new Set(offsets).size).toBeGreaterThan(1);
      expect(next({ cron, timezone })).toBe(next({ cron, timezone }));
    },
  );

  test('every other minute is kept to the second, in the timezone that was asked for', () => {
    expect(next({ cron: '5 9 * * *', timezone: 'Europe/Berlin' })).toBe(
      Date.parse('2026-11-23T09:05:00+01:00'),
    );
    expect(next({ at: MONDAY + 1 })).toBe(MONDAY + 1);
    expect(next({ at: MONDAY })).toBe(null);
    expect(() => checkSchedule({ cron: '5 9 * * *', timezone }, MONDAY)).not.toThrow();
  });
});

describe('a scheduled campaign', () => {
  let harness: Awaited<ReturnType<typeof openCampaignHarness>>;
  beforeEach(async () => {
    harness = await openCampaignHarness();
  });
  afterEach(async () => {
    expect(harness.errors).toEqual([]);
    await harness.close();
  });
  const scheduled = async (schedule: object): Promise<string> =>
    (await harness.make({ start: true, schedule }, users(3))).body.id;
  const cron = '5 9 * * *';
  const due = Date.parse('2026-11-24T09:05:00+08:00');
  const run = async () => {
    await harness.campaigns.sweep();
    await harness.deliver(10);
    await harness.campaigns.sweep();
  };

  test('waits for its time, and runs once, however many replicas there are', async () => {
    const id = await scheduled({ at: new Date(due).toISOString() });
    const replicas = [harness.campaigns, ...Array.from({ length: 4 }, () => harness.replica())];
    const all = () => Promise.all(replicas.map((each) => each.sweep()));
    harness.clock.at = due - 1;
    await all();
    expect(await harness.look(id)).toMatchObject({
      state: 'scheduled',
      nextRunAt: new Date(due).toISOString(),
    });
    harness.clock.at = due;
    for (let round = 0; round < 3; round += 1) await all();
    expect(await harness.look(id)).toMatchObject({ state: 'running', progress: { runs: 1, queued: 3 } });
    await harness.deliver(3);
    for (let round = 0; round < 3; round += 1) await all();
    expect(await harness.look(id)).toMatchObject({
      state: 'done',
      nextRunAt: null,
      progress: { sent: 3, runs: 1 },
    });
    expect(new Set((await handedOut(harness.db)).values())).toEqual(new Set([1]));
  });

  test('as a draft waits for its start', async () => {
    const { body } = await harness.make({ schedule: { cron } }, users(3));
    harness.clock.at = due;
    await run();
    expect(await harness.look(body.id)).toMatchObject({ state: 'draft' });
    const started = await harness.ask(`POST /campaigns/${body.id}/start`);
    expect(started.body).toMatchObject({
      state: 'scheduled',
      nextRunAt: new Date(due + 24 * HOUR).toISOString(),
    });
  });

  test('with cron runs again for everybody, with the template as it is then', async () => {
    const id = await scheduled({ cron });
    harness.clock.at = due;
    await run();
    expect(await harness.look(id)).toMatchObject({
      state: 'scheduled',
      nextRunAt: new Date(due + 24 * HOUR).toISOString(),
      progress: { sent: 3, runs: 1 },
    });
    harness.templates.set('hello', { text: 'good morning' });
    harness.clock.at = due + 24 * HOUR;
    await run();
    expect(await harness.look(id)).toMatchObject({
      state: 'scheduled',
      progress: { total: 3, sent: 3, runs: 2 },
    });
    expect(new Set((await handedOut(harness.db)).values())).toEqual(new Set([2]));
    const texts = await harness.db.selectFrom('messages').select('content').orderBy('id').execute();
    expect(texts.map(({ content }) => JSON.parse(content).text)).toEqual(['hello', 'good morning']);
  });

  test('whose run takes longer than to the next time leaves that out', async () => {
    const id = await scheduled({ cron });
    harness.clock.at = due;
    await harness.campaigns.sweep();
    harness.clock.at = due + 25 * HOUR;
    await run();
    expect(await harness.look(id)).toMatchObject({
      nextRunAt: new Date(due + 48 * HOUR).toISOString(),
      progress: { runs: 1 },
    });
  });

  test('missed while everything was down runs once, late, within an hour; after that it says so', async () => {
    const id = await scheduled({ cron });
    harness.clock.at = due + HOUR;
    await run();
    expect(await harness.look(id)).toMatchObject({ progress: { runs: 1 }, problem: null });
    harness.clock.at = due + 25 * HOUR + 1;
    await run();
    expect(await harness.look(id)).toMatchObject({
      state: 'scheduled',
      nextRunAt: new Date(due + 48 * HOUR).toISOString(),
      problem: expect.stringContaining('was left out: message delivery was down for over an hour'),
      progress: { runs: 1 },
    });
    const once = await scheduled({ at: new Date(due + 26 * HOUR).toISOString() });
    harness.clock.at = due + 27 * HOUR + 1;
    await run();
    expect(await harness.look(once)).toMatchObject({ state: 'stopped', progress: { runs: 0 } });
  });

  test('whose template is gone says so and waits for the next time', async () => {
    const id = await scheduled({ cron });
    harness.templates.delete('hello');
    harness.clock.at = due;
    await run();
    expect(await harness.look(id)).toMatchObject({
      state: 'scheduled',
      problem: 'there is no template "hello"',
    });
    harness.templates.set('hello', { text: 'back' });
    harness.clock.at = due + 24 * HOUR;
    await run();
    expect(await harness.look(id)).toMatchObject({ problem: null, progress: { sent: 3, runs: 1 } });
  });

  test('of an app that may not send any more says so and is left out', async () => {
    const id = await scheduled({ cron });
    await harness.db.updateTable('apps').set({ enabled: 0 }).execute();
    harness.clock.at = due;
    await run();
    expect(await harness.look(id)).toMatchObject({ state: 'scheduled', problem: 'the app shop is disabled' });
    expect((await harness.look(id)).progress.runs).toBe(0);
  });

  test('that is stopped does not run any more; a draft whose time is over cannot be started', async () => {
    const id = await scheduled({ cron });
    await harness.ask(`POST /campaigns/${id}/stop`);
    harness.clock.at = due;
    await run();
    expect(await harness.look(id)).toMatchObject({
      state: 'stopped',
      nextRunAt: null,
      progress: { runs: 0 },
    });
    const at = new Date(due + 1000).toISOString();
    const { body } = await harness.make({ schedule: { at } }, users(3));
    harness.clock.at = due + 2000;
    const refused = await harness.ask(`POST /campaigns/${body.id}/start`);
    expect(refused).toMatchObject({
      status: 400,
      body: { error: 'schedule.at: is over; make a new campaign' },
    });
  });
});
