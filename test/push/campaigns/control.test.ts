import { afterAll, describe, expect, test } from 'vitest';
import { changeCampaign, findCampaign } from '../../../src/push/campaigns/campaign-store.ts';
import { callerOf, openCampaignHarness, users } from './campaign-harness.ts';

const harness = await openCampaignHarness();
afterAll(harness.close);

describe('commands', () => {
  test('of two who saw the same campaign only one changes it', async () => {
    const { id } = (await harness.make({}, users(3))).body;
    const seen = await findCampaign(harness.db, 'shop', id);
    if (seen === undefined) throw new Error('the campaign is not there');
    const change = (state: 'running' | 'stopped') => changeCampaign(harness.db, seen, { state });
    expect([await change('stopped'), await change('running')]).toEqual([true, false]);
    expect((await harness.look(id)).state).toBe('stopped');
    const orders = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const { id } = (await harness.make({}, users(1))).body;
        const both = [1, 2].map(() => harness.ask(`POST /campaigns/${id}/start`));
        return (await Promise.all(both)).map(({ status }) => status).sort();
      }),
    );
    expect(orders).toEqual(Array(5).fill([200, 409]));
  });

  test.each([
    ['draft', ['pause', 'resume']],
    ['running', ['start', 'resume']],
    ['paused', ['start', 'pause']],
    ['stopped', ['start', 'pause', 'resume', 'stop']],
    ['done', ['start', 'pause', 'resume', 'stop']],
    ['scheduled', ['start', 'pause', 'resume']],
  ] as const)('are refused in a sentence where they mean nothing: %s', async (state, words) => {
    const { id } = (await harness.make({}, users(3))).body;
    await harness.db.updateTable('campaigns').set({ state }).where('id', '=', id).execute();
    for (const word of words) {
      const refused = await harness.ask(`POST /campaigns/${id}/${word}`);
      expect(refused).toMatchObject({
        status: 409,
        body: { error: expect.stringContaining(`is ${state};`) },
      });
    }
  });
});

test.each(['abc', '%', '😀', '\u0000', 'é'.repeat(36)])('no campaign stands under the id %j', async (id) => {
  for (const line of ['GET /campaigns/:id', 'GET /campaigns/:id/receivers', 'POST /campaigns/:id/start']) {
    expect(await harness.ask(line.replace(':id', id))).toMatchObject({ status: 404 });
  }
});

describe("a campaign is its app's alone", () => {
  test.each(['GET ', 'GET /receivers', 'POST /start', 'POST /pause', 'POST /resume', 'POST /stop'])(
    '%s',
    async (line) => {
      const id = (await harness.make({ start: true }, users(3))).body.id;
      const [method, path = ''] = line.split(' ');
      const request = await harness.ask(`${method} /campaigns/${id}${path}`, { caller: callerOf('other') });
      expect(request).toMatchObject({
        status: 404,
        body: { error: expect.stringContaining('no campaign with this id') },
      });
      expect((await harness.ask('GET /campaigns', { caller: callerOf('other') })).body.campaigns).toEqual([]);
    },
  );

  test('and an app that lost the template cannot start it', async () => {
    const { id } = (await harness.make({}, users(3))).body;
    const caller = callerOf('shop', ['campaigns', 'template:bonus']);
    expect(await harness.ask(`POST /campaigns/${id}/start`, { caller })).toMatchObject({ status: 403 });
  });
});

test('a list goes on where the page before ended, newest first', async () => {
  const made = [];
  for (let n = 0; n < 3; n += 1) {
    made.push((await harness.make({}, users(1), { caller: callerOf('small') })).body.id);
  }
  const seen: string[] = [];
  for (let after: string | undefined, isFirst = true; isFirst || after !== undefined; isFirst = false) {
    const query = { limit: '2', ...(after !== undefined && { after }) };
    const { body } = await harness.ask('GET /campaigns', { query, caller: callerOf('small') });
    seen.push(...body.campaigns.map(({ id }) => id));
    after = body.next;
  }
  expect(seen).toEqual(made.toSorted().toReversed());
});
