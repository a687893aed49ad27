import { Readable } from 'node:stream';
import { afterAll, describe, expect, test } from 'vitest';
import { BATCH, loadReceivers } from '../../../src/push/campaigns/load-receivers.ts';
import { purgeCampaigns } from '../../../src/push/campaigns/removal-store.ts';
import { verifiedStream } from '../../../src/push/http/read-body.ts';
import { callerOf, ndjson, openCampaignHarness, users } from './campaign-harness.ts';

const harness = await openCampaignHarness();
afterAll(harness.close);

const rowsOf = async (table: 'campaigns' | 'campaign_receivers') =>
  (await harness.db.selectFrom(table).selectAll().execute()).length;

describe('a campaign that streams in', () => {
  test('is a draft when it has ended; doubles count once, whatever their case, and are reported', async () => {
    const made = await harness.make({}, ['zhangsan', { user: 'LiSi' }, 'ZhangSan', 'lisi', 'wangwu']);
    expect(made).toMatchObject({ status: 201, body: { state: 'draft', total: 3, doubles: 2 } });
    const seen = await harness.look(made.body.id);
    expect(seen).toMatchObject({ progress: { total: 3, waiting: 3, queued: 0, sent: 0, runs: 0 } });
    const waiting = await harness.ask(`GET /campaigns/${made.body.id}/receivers`, {
      query: { state: 'waiting' },
    });
    expect(waiting.body.receivers.map(({ user }) => user)).toEqual(['zhangsan', 'lisi', 'wangwu']);
  });

  test('may have 100,000 receivers: never more than one batch is in memory, and the sender waits for each', async () => {
    let made = 0;
    let added = 0;
    let most = 0;
    function* counted() {
      for (const user of users(100_000)) {
        made += 1;
        yield { user, variables: { AMOUNT: '1'.repeat(100) } };
      }
    }
    const db = harness.db.withPlugin({
      transformQuery: ({ node }) => {
        if (node.kind === 'InsertQueryNode') {
          most = Math.max(most, made - added);
          added += BATCH;
        }
        return node;
      },
      transformResult: async ({ result }) => result,
    });
    const answer = await harness.make({ template: { key: 'bonus', variables: { UNIT: '元' } } }, counted(), {
      of: harness.replica({ db }),
    });
    expect(answer).toMatchObject({ status: 201, body: { total: 100_000, doubles: 0 } });
    // The row of the campaign is an INSERT too; besides a batch there is what the stream has read ahead.
    expect(added).toBe(101 * BATCH);
    expect(most).toBeLessThan(5 * BATCH);
  });

  test('is seen by nobody before its end, nor can be ordered about', async () => {
    let open = true;
    const seen: number[] = [];
    function* slow() {
      for (const user of users(5000)) yield user;
      open = false;
    }
    const before = (await harness.ask('GET /campaigns')).body.campaigns.length;
    const making = harness.make({ name: 'unseen' }, slow());
    while (open) {
      const { campaigns } = (await harness.ask('GET /campaigns')).body;
      if (open) seen.push(campaigns.length);
    }
    const loading = await harness.db
      .selectFrom('campaigns')
      .select('id')
      .where('name', '=', 'unseen')
      .execute();
    expect(loading).toHaveLength(1);
    expect(new Set(seen)).toEqual(new Set([before]));
    expect((await making).status).toBe(201);
    expect((await harness.ask('GET /campaigns')).body.campaigns).toHaveLength(before + 1);
  });

  test('that is not what was signed, or breaks off, leaves nothing', async () => {
    const before = [await rowsOf('campaigns'), await rowsOf('campaign_receivers')];
    const source = ndjson({ name: 'x', template: { key: 'hello' } }, users(5000));
    const forged = verifiedStream({ source, bodyHash: 'f'.repeat(64), limit: 1e9 });
    const refused = await harness.ask('POST /campaigns', { raw: forged });
    expect(refused).toMatchObject({
      status: 401,
      body: { error: expect.stringContaining('X-Keypad-Content-SHA256') },
    });
    const broken = Readable.from(
      (function* () {
        yield Buffer.from('{"name":"x","template":{"key":"hello"}}\n');
        for (const user of users(5000)) yield Buffer.from(`"${user}"\n`);
        throw new Error('gone');
      })(),
    );
    await expect(harness.ask('POST /campaigns', { raw: broken })).rejects.toThrow('gone');
    expect([await rowsOf('campaigns'), await rowsOf('campaign_receivers')]).toEqual(before);
  });

  test('whose process died is removed by the purge of another, but not while it is still coming in', async () => {
    const before = [await rowsOf('campaigns'), await rowsOf('campaign_receivers')];
    const base = {
      app: 'shop',
      name: 'x',
      state: 'loading',
      template_key: 'hello',
      variables: '{}',
    } as const;
    const row = {
      ...base,
      id: 'dead',
      shared_names: '[]',
      request_hash: '',
      created_at: 0,
      touched_at: harness.clock.at,
    };
    const { insertId } = await harness.db.insertInto('campaigns').values(row).executeTakeFirstOrThrow();
    const campaign = Number(insertId);
    const rows = [...users(7000)].map((user, number) => ({ campaign, number, user, variables: null }));
    await harness.db.insertInto('campaign_receivers').values(rows).execute();
    const purge = () => {
      const now = harness.clock.at;
      const pace = { sleep: async () => null, isStopped: () => false };
      return purgeCampaigns({ db: harness.db, before: 0, now, ...pace });
    };
    await purge();
    expect(await rowsOf('campaigns')).toBe((before[0] ?? 0) + 1);
    harness.clock.at += 600_001;
    await purge();
    expect([await rowsOf('campaigns'), await rowsOf('campaign_receivers')]).toEqual(before);
  });

  test('may send a card when each receiver brings a task_id of its own', async () => {
    const receivers = ['1', '2'].map((ID) => ({ user: `u${ID}`, variables: { ID } }));
    const schedule = { at: '2026-11-24T09:00:00+08:00' };
    const made = await harness.make({ template: { key: 'vote' }, schedule }, receivers);
    expect(made).toMatchObject({ status: 201, body: { total: 2 } });
  });

  test('has one idempotency key: the same again is answered as the first, another is refused', async () => {
    const request = { bodyHash: 'a'.repeat(64) };
    const both = await Promise.all([
      harness.make({ idempotencyKey: 'k' }, users(3000), request),
      harness.make({ idempotencyKey: 'k' }, users(3000), request),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual([201, 409]);
    const id = both.find(({ status }) => status === 201)?.body.id;
    const again = await harness.make({ idempotencyKey: 'k' }, users(3000), request);
    expect(again).toMatchObject({ status: 201, body: { id, total: 3000 } });
    const other = await harness.make({ idempotencyKey: 'k' }, users(2));
    expect(other).toMatchObject({
      status: 409,
      body: { error: expect.stringContaining('another campaign') },
    });
    const ofOther = await harness.make({ idempotencyKey: 'k' }, users(2), { caller: callerOf('other') });
    expect(ofOther.status).toBe(201);
  });
});

const TASK_ID = 'templateCard.task_id: WeCom takes each once';

describe('what is wrong is named in one sentence, and nothing is kept', () => {
  const long = { user: 'a', variables: { X: 'x'.repeat(4096) } };
  const at = '2026-11-20T09:00:00+08:00';
  const cases: readonly (readonly [string, object, Iterable<unknown>, string])[] = [
    ['no receivers', {}, [], 'a campaign needs at least one receiver'],
    [
      'bad lines',
      {},
      ['a', '!{', 'b', '张三', '@all', { user: 'a', x: 1 }],
      'nothing was kept: line 3 is not JSON in UTF-8; line 5 ',
    ],
    ['a line too long', {}, ['a', long], 'line 3 is longer than 4096 bytes'],
    ['an empty line', {}, ['a', '!', 'b'], 'line 3 is empty'],
    ['a name that is no variable', {}, [{ user: 'a', variables: { x: '1' } }], 'line 2 '],
    ['unknown field', { lane: 'alert' }, ['a'], 'line 1 has no field "lane"; its fields are name, template'],
    ['no template of that key', { template: { key: 'none' } }, ['a'], 'there is no template "none"'],
    ['a variable missing', { template: { key: 'bonus' } }, ['a'], 'AMOUNT, UNIT missing'],
    [
      'a variable that not everybody brings',
      { template: { key: 'bonus', variables: { UNIT: '元' } } },
      [{ user: 'a', variables: { AMOUNT: '1' } }, 'b'],
      'variables: AMOUNT missing',
    ],
    [
      'a task_id that is the same for all',
      { template: { key: 'vote', variables: { ID: '1' } } },
      ['a'],
      TASK_ID,
    ],
    [
      'a task_id that comes again with each run',
      { template: { key: 'vote' }, schedule: { cron: '30 9 * * 1-5', timezone: 'Asia/Shanghai' } },
      [{ user: 'a', variables: { ID: '1' } }],
      TASK_ID,
    ],
    ['a time that is over', { schedule: { at } }, ['a'], 'line 1 schedule.at: is over'],
    [
      'no cron',
      { schedule: { cron: '61 9 * * *' } },
      ['a'],
      'line 1 schedule.cron: is not a cron expression',
    ],
    [
      'cron with seconds',
      { schedule: { cron: '* * * * * *' } },
      ['a'],
      'line 1 schedule.cron: must have five fields',
    ],
    ['a day that never comes', { schedule: { cron: '0 9 30 2 *' } }, ['a'], 'line 1 schedule.cron: is not'],
    [
      'no timezone',
      { schedule: { cron: '0 9 * * *', timezone: 'Mars' } },
      ['a'],
      'line 1 schedule.timezone: must be',
    ],
    [
      'a foreign callback',
      { callbackUrl: 'https://evil.example/x' },
      ['a'],
      'line 1 callbackUrl: its host is not',
    ],
    [
      'a login in the callback',
      { callbackUrl: 'https://a:b@hooks.internal/x' },
      ['a'],
      'line 1 callbackUrl: must be without a login',
    ],
    ['no budget', { perMinute: 0 }, ['a'], 'line 1 perMinute: '],
  ];
  test.each(cases)('%s', async (_name, head, receivers, sentence) => {
    const before = await rowsOf('campaigns');
    const refused = await harness.make(head, receivers);
    expect(refused).toMatchObject({ status: 400, body: { error: expect.stringContaining(sentence) } });
    expect(refused.body.error).not.toContain('\n');
    expect(await rowsOf('campaigns')).toBe(before);
  });

  test('an empty body', async () => {
    expect(await harness.ask('POST /campaigns')).toMatchObject({ status: 400 });
  });

  test('more than a million receivers', async () => {
    const line = Buffer.from('"a"');
    async function* lines() {
      for (let number = 2; number <= 1_000_002; number += 1) yield line;
    }
    const loading = loadReceivers(
      lines(),
      () => true,
      async () => 0,
    );
    await expect(loading).rejects.toThrow('at most 1,000,000 receivers');
  });

  test('a template or a receiver that is not among the scopes of the app', async () => {
    const caller = callerOf('small', ['campaigns', 'template:hello', 'to:users:a']);
    expect(await harness.make({}, ['A'], { caller })).toMatchObject({ status: 201 });
    expect(await harness.make({}, ['a', 'b'], { caller })).toMatchObject({
      status: 400,
      body: { error: 'nothing was kept: line 3 names b, to whom this app may not send' },
    });
    expect(await harness.make({ template: { key: 'bonus' } }, ['a'], { caller })).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining('may not use the template bonus') },
    });
  });
});
