import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { handOutSlice } from '../../../src/push/campaigns/slice-store.ts';
import { withdraw } from '../../../src/push/campaigns/withdraw-store.ts';
import { handedOut, openCampaignHarness, users } from './campaign-harness.ts';

let harness: Awaited<ReturnType<typeof openCampaignHarness>>;
beforeEach(async () => {
  harness = await openCampaignHarness();
});
afterEach(async () => {
  expect(harness.errors).toEqual([]);
  await harness.close();
});

/** Works and delivers until the campaign is in this state. */
async function until(id: string, state: string, replicas = [harness.campaigns]) {
  for (let rounds = 0; rounds < 500; rounds += 1) {
    await Promise.all(replicas.map((each) => each.sweep()));
    await harness.deliver(700);
    const seen = await harness.look(id);
    if (seen.state === state) return seen;
  }
  throw new Error(`the campaign never came to be ${state}`);
}

const started = async (count: number, head: object = {}): Promise<string> =>
  (await harness.make({ start: true, ...head }, users(count))).body.id;

/** Everybody's count of deliveries: all 1 is "nobody twice, nobody left out". */
async function expectOnceEach(count: number): Promise<void> {
  const counts = await handedOut(harness.db);
  expect(counts.size).toBe(count);
  expect(new Set(counts.values())).toEqual(new Set([1]));
}

describe('a running campaign', () => {
  test('reaches everybody once, in order, in messages of at most 1000, the template pinned and unfilled', async () => {
    const receivers = [...users(2500)].map((user) => ({ user, variables: { AMOUNT: `$1 ${user}` } }));
    const template = { key: 'bonus', variables: { UNIT: `\${AMOUNT}` } };
    const { id } = (
      await harness.make({ template, start: true, callbackUrl: 'https://hooks.internal/x' }, receivers)
    ).body;
    await harness.campaigns.sweep();
    harness.templates.set('bonus', { text: 'another' });
    const end = await until(id, 'done');
    expect(end.progress).toMatchObject({
      total: 2500,
      sent: 2500,
      waiting: 0,
      queued: 0,
      failed: 0,
      runs: 1,
    });
    await expectOnceEach(2500);
    const found = await harness.db.selectFrom('messages').selectAll().execute();
    const messages = found.toSorted(
      (a, b) => harness.inserted.indexOf(a.id) - harness.inserted.indexOf(b.id),
    );
    expect(messages.map((each) => each.receivers)).toEqual([1000, 1000, 500]);
    expect(messages[2]).toMatchObject({
      ...{
        app: 'shop',
        lane: 'bulk',
        campaign_id: id,
        opaque: id,
        template_key: 'bonus',
        template_version: 3,
      },
      callback_url: 'https://hooks.internal/x',
      variables: JSON.stringify(template.variables),
    });
    expect(new Set(messages.map(({ content }) => content)).size).toBe(1);
    const deliveries = await harness.db.selectFrom('deliveries').selectAll().orderBy('id').execute();
    expect(deliveries.map(({ receiver }) => receiver)).toEqual(
      [...users(2500)].map((user) => `user:${user}`),
    );
    expect(JSON.parse(deliveries[7]?.variables ?? '')).toEqual({ AMOUNT: '$1 u8' });
    expect(harness.inserted).toEqual(messages.map((each) => each.id));
  });

  test('has at most 2000 deliveries open, however often its replicas look', async () => {
    await started(5000);
    for (let round = 0; round < 5; round += 1) await harness.campaigns.sweep();
    expect((await handedOut(harness.db)).size).toBe(2000);
    await harness.deliver(1000);
    for (let round = 0; round < 5; round += 1) await harness.campaigns.sweep();
    expect((await handedOut(harness.db)).size).toBe(3000);
  });

  test('worked on by three replicas at once still reaches everybody once', async () => {
    const id = await started(12_000);
    await until(id, 'done', [harness.campaigns, harness.replica(), harness.replica()]);
    await expectOnceEach(12_000);
  });

  test('whose replica is killed in the middle of a slice reaches everybody once', async () => {
    const id = await started(4000);
    await harness.campaigns.sweep();
    // The connection is lost after the message was written, before the position moved.
    const connections = new Set<number>();
    const dying = harness.replica({
      messageQueue: {
        ...harness.parts.messageQueue,
        insert: async (tx, messages) => {
          const ids = await harness.parts.messageQueue.insert(tx, messages);
          const own = await tx
            .selectNoFrom(({ fn }) => fn<number>('connection_id', []).as('id'))
            .executeTakeFirstOrThrow();
          connections.add(own.id);
          await kill(own.id);
          return ids;
        },
      },
      onError: () => {},
    });
    expect(await dying.sweep()).toBe(false);
    expect(connections.size).toBe(1);
    expect((await handedOut(harness.db)).size).toBe(1000);
    await until(id, 'done');
    await expectOnceEach(4000);
  });

  test('whose slice cannot be noted hands out nothing: the message is part of the same transaction', async () => {
    await started(1500);
    const { insert } = harness.parts.messageQueue;
    const clumsy = harness.replica({
      messageQueue: {
        ...harness.parts.messageQueue,
        insert: async (tx, messages) => (await insert(tx, messages)).map((id) => id.repeat(2)),
      },
      onError: () => {},
    });
    expect(await clumsy.sweep()).toBe(false);
    expect((await handedOut(harness.db)).size).toBe(0);
  });

  test('goes on when its template is gone', async () => {
    const id = await started(1500);
    harness.templates.delete('hello');
    await until(id, 'done');
    await expectOnceEach(1500);
  });

  test('counts what failed by errcode, and lists who it was', async () => {
    const id = await started(2500);
    await harness.campaigns.sweep();
    await harness.deliver(10, 'failed', '60111');
    await harness.deliver(5, 'dead', 'lost');
    await harness.deliver(485);
    await harness.deliver(500);
    await harness.campaigns.sweep();
    await harness.deliver(3, 'failed', '60111');
    const { progress } = await harness.look(id);
    expect(progress).toMatchObject({
      total: 2500,
      sent: 985,
      failed: 13,
      dead: 5,
      queued: 997,
      waiting: 500,
    });
    expect(progress.byErrcode).toEqual({ 60111: 13, lost: 5 });
    const all: string[] = [];
    for (let after: string | undefined = ''; after !== undefined; ) {
      const { body } = await harness.ask(`GET /campaigns/${id}/receivers`, { query: { after, limit: '4' } });
      all.push(...body.receivers.map(({ user }) => user));
      expect(body.receivers.length).toBeLessThanOrEqual(4);
      after = body.next;
    }
    expect(all).toEqual([...[...users(10)], 'u1001', 'u1002', 'u1003']);
    const waiting = await harness.ask(`GET /campaigns/${id}/receivers`, {
      query: { state: 'waiting', limit: '1' },
    });
    expect(waiting.body).toMatchObject({ receivers: [{ user: 'u2001' }], next: '2001' });
  });

  test('is told anew when what failed was sent again after it had been counted', async () => {
    const id = await started(10);
    await harness.campaigns.sweep();
    await harness.deliver(4, 'failed', '60111');
    await until(id, 'done');
    expect((await harness.look(id)).progress).toMatchObject({ sent: 6, failed: 4 });
    // What `resend` of the message queue does.
    const { message_id } = await harness.db
      .selectFrom('deliveries')
      .select('message_id')
      .executeTakeFirstOrThrow();
    await harness.db
      .updateTable('messages')
      .set({ open: 4, finished_at: null })
      .where('id', '=', message_id)
      .execute();
    await harness.db
      .updateTable('deliveries')
      .set({ state: 'queued' })
      .where('state', '=', 'failed')
      .execute();
    expect((await harness.look(id)).progress).toMatchObject({ sent: 6, failed: 0, queued: 4 });
    harness.clock.at += 1000;
    await harness.deliver(4);
    await harness.campaigns.sweep();
    expect((await harness.look(id)).progress).toMatchObject({ sent: 10, failed: 0, queued: 0 });
  });
});

describe('an app that may not send any more', () => {
  test.each([
    [{ enabled: 0 }, 'the app shop is disabled'],
    [{ scopes: '["template"]' }, 'the app shop has no scope campaigns any more'],
    [{ scopes: '["campaigns","template","to:chats"]' }, 'the app shop may not send to u1001 any more'],
    [{ scopes: '["campaigns","template:bonus"]' }, 'the app shop may not use this template any more'],
  ])('hands nothing more out until it may again: %o', async (change, problem) => {
    const id = await started(1500);
    await harness.campaigns.sweep();
    await harness.db.updateTable('apps').set(change).execute();
    for (let round = 0; round < 3; round += 1) await harness.campaigns.sweep();
    expect(await harness.look(id)).toMatchObject({ problem, progress: { waiting: 500 } });
    await harness.db.updateTable('apps').set({ enabled: 1, scopes: '["campaigns","template"]' }).execute();
    await harness.campaigns.sweep();
    expect(await harness.look(id)).toMatchObject({ problem: null, progress: { waiting: 0 } });
  });
});

describe('pause and resume', () => {
  test('at about 40 % of 20,000: nothing more goes out, and success + failed = total, nobody twice', async () => {
    const id = await started(20_000);
    while (((await harness.look(id)).progress.sent ?? 0) < 8000) {
      await harness.campaigns.sweep();
      await harness.deliver(300, 'failed', '60111');
      await harness.deliver(500);
    }
    // Somebody is queued, so that the pause has something to take back.
    expect((await harness.look(id)).progress.queued).toBeGreaterThan(1000);
    const paused = await harness.ask(`POST /campaigns/${id}/pause`);
    expect(paused).toMatchObject({ status: 200, body: { state: 'paused', progress: { queued: 0 } } });
    await harness.campaigns.sweep();
    expect(await harness.deliver(100)).toBe(0);
    const { sent = 0, failed = 0, waiting = 0, total = 0 } = (await harness.look(id)).progress;
    expect(sent + failed + waiting).toBe(total);
    const waits = await harness.ask(`GET /campaigns/${id}/receivers`, {
      query: { state: 'waiting', limit: '1' },
    });
    expect(waits.body.receivers[0]?.user).toBe(`u${sent + failed + 1}`);

    expect(await harness.ask(`POST /campaigns/${id}/resume`)).toMatchObject({ body: { state: 'running' } });
    const { progress } = await until(id, 'done');
    expect(progress).toMatchObject({ done: 20_000, sent: 20_000 - failed, failed, waiting: 0, queued: 0 });
    await expectOnceEach(20_000);
  });

  test('what was taken back stands before what was never handed out, in pages and in the next slice', async () => {
    const id = await started(1040);
    await harness.campaigns.sweep();
    await harness.deliver(970);
    await harness.ask(`POST /campaigns/${id}/pause`);
    const waiting = [...users(1040)].slice(970);
    const pages: string[][] = [];
    for (let after: string | undefined = ''; after !== undefined; ) {
      const query = { state: 'waiting', after, limit: '20' };
      const { body } = await harness.ask(`GET /campaigns/${id}/receivers`, { query });
      pages.push(body.receivers.map(({ user }) => user));
      after = body.next;
    }
    expect(pages.flat()).toEqual(waiting);
    await harness.ask(`POST /campaigns/${id}/resume`);
    await harness.campaigns.sweep();
    const queued = await harness.db
      .selectFrom('deliveries')
      .select('receiver')
      .where('state', '=', 'queued')
      .orderBy('id')
      .execute();
    expect(queued.map(({ receiver }) => receiver)).toEqual(waiting.map((user) => `user:${user}`));
    await until(id, 'done');
    await expectOnceEach(1040);
  });

  test('what was tried, or may have arrived, is not taken back: it runs out', async () => {
    const id = await started(100);
    await harness.campaigns.sweep();
    const ids = (await harness.db.selectFrom('deliveries').select('id').orderBy('id').execute()).map(
      (row) => row.id,
    );
    const set = (index: number, change: object) =>
      harness.db
        .updateTable('deliveries')
        .set(change)
        .where('id', '=', ids[index] ?? 0)
        .execute();
    await set(0, { state: 'sending' });
    await set(1, { lost_at: harness.clock.at });
    await set(2, { parts: 1 });
    await set(3, { tries: 1 });
    const attempt = { at: 0, ms: 1, errcode: '45009', errmsg: '', msgid: null };
    await harness.db
      .insertInto('attempts')
      .values({ ...attempt, delivery_id: ids[4] ?? 0 })
      .execute();
    await harness.ask(`POST /campaigns/${id}/pause`);
    expect((await harness.look(id)).progress).toMatchObject({ queued: 5, waiting: 95 });
    await set(0, { state: 'queued' });
    await harness.deliver(5);
    await harness.campaigns.sweep();
    await harness.ask(`POST /campaigns/${id}/resume`);
    await until(id, 'done');
    await expectOnceEach(100);
  });

  test('a replica that dies between the pause and the taking back leaves that to the others', async () => {
    const id = await started(1500);
    await harness.campaigns.sweep();
    await harness.db.updateTable('campaigns').set({ state: 'paused' }).execute();
    await harness.replica().sweep();
    expect((await harness.look(id)).progress).toMatchObject({ queued: 0, waiting: 1500 });
  });

  test('a replica that saw the campaign as it was before does nothing to it', async () => {
    const id = await started(1500);
    await harness.campaigns.sweep();
    const { serial } = await harness.db.selectFrom('campaigns').select('serial').executeTakeFirstOrThrow();
    const [messageId = ''] = harness.inserted;
    await withdraw(harness.parts, { serial, state: 'paused', messageId });
    expect((await harness.look(id)).progress).toMatchObject({ queued: 1000, waiting: 500 });
    await harness.ask(`POST /campaigns/${id}/pause`);
    expect(await handOutSlice(harness.parts, serial)).toBe(false);
    expect((await handedOut(harness.db)).size).toBe(0);
  });

  test('an app is told of a slice that a pause has finished', async () => {
    const id = await started(10);
    await harness.campaigns.sweep();
    await harness.deliver(4);
    await harness.ask(`POST /campaigns/${id}/pause`);
    expect(harness.noted).toEqual(harness.inserted);
  });
});

describe('stop', () => {
  test('cancels what is queued, which nobody ever got and so is not recalled, and hands nobody more out', async () => {
    const id = await started(3000);
    await harness.campaigns.sweep();
    await harness.deliver(400);
    expect(await harness.ask(`POST /campaigns/${id}/stop`)).toMatchObject({
      status: 200,
      body: { state: 'stopped' },
    });
    for (let round = 0; round < 3; round += 1) await harness.campaigns.sweep();
    expect((await harness.look(id)).progress).toMatchObject({
      sent: 400,
      recalled: 0,
      cancelled: 600,
      done: 1000,
      queued: 0,
      waiting: 2000,
    });
    expect(await harness.deliver(10)).toBe(0);
  });
});

/** Ends a connection as the death of its process would. */
async function kill(id: number): Promise<void> {
  await sql`kill ${sql.lit(id)}`.execute(harness.db);
}
