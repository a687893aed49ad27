import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { startBot } from '#test/bot.ts';
import { startPlatform } from '#test/platform.ts';
import { createOpsClient } from '../../src/bot/ops-client.ts';
import { startReports } from '../../src/bot/reports.ts';
import { readSigningKey } from '../../src/contract/keys.ts';
import { type Report, report } from '../../src/contract/report.ts';
import { createHttpClient } from '../../src/server/http-client.ts';

/** Reports that are sent when it is stopped; `isAway` says whether nobody takes them just now. */
function open(isAway = () => false) {
  const sent: Report[] = [];
  const errors: unknown[] = [];
  const reports = startReports({
    async send(each) {
      if (isAway()) throw new Error('away');
      sent.push(report.parse(each));
    },
    onError: (error) => errors.push(error),
  });
  return { ...reports, sent, errors };
}
const countOf = ({ refusals }: Report) => refusals.reduce((sum, { count }) => sum + count, 0);

test('equal refusals are one row with a count', async () => {
  const reports = open();
  for (let i = 0; i < 10_000; i += 1) {
    reports.refused({ user: 'mallory', kind: 'hidden', at: '3-hidden.ts' });
  }
  await reports.stop();
  expect(reports.sent).toEqual([
    { refusals: [{ user: 'mallory', kind: 'hidden', at: '3-hidden.ts', count: 10_000 }], problems: [] },
  ]);
});

test('whoever knocks at many doors has few rows', async () => {
  const reports = open();
  for (let i = 0; i < 10_000; i += 1) {
    const kind = i % 2 === 0 ? 'hidden' : 'rights';
    reports.refused({ user: 'mallory', kind, at: `${i}` });
  }
  await reports.stop();
  expect(reports.sent[0]?.refusals.length).toBeLessThanOrEqual(9);
  expect(reports.sent.map(countOf)).toEqual([10_000]);
});

test('a thousand users have a hundred rows, and nothing is left out of the count', async () => {
  const reports = open();
  for (let i = 0; i < 10_000; i += 1) {
    reports.refused({ user: `u${i % 1000}`, kind: i % 3 === 0 ? 'stale' : 'hidden', at: `${i}` });
  }
  await reports.stop();
  expect(reports.sent[0]?.refusals.length).toBeLessThanOrEqual(100);
  expect(reports.sent.map(countOf)).toEqual([10_000]);
  expect(reports.sent[0]?.refusals.filter(({ user }) => user === undefined)).toHaveLength(2);
});

test('what could not be handed over is part of the next report', async () => {
  let isAway = true;
  const reports = open(() => isAway);
  reports.refused({ user: 'mallory', kind: 'stale', at: '' });
  reports.problems('menus', ['1-a.ts: has no title']);
  await expect.poll(() => reports.errors.length).toBe(1);
  reports.refused({ user: 'mallory', kind: 'stale', at: '' });
  isAway = false;
  await reports.stop();
  expect(reports.sent).toEqual([
    {
      refusals: [{ user: 'mallory', kind: 'stale', at: '', count: 2 }],
      problems: ['1-a.ts: has no title'],
    },
  ]);
});

test('a place of any length is reported, cut to what the platform reads', async () => {
  const reports = open();
  reports.refused({ user: 'mallory', kind: 'rights', at: '1-'.repeat(300) });
  await reports.stop();
  expect(reports.sent[0]?.refusals[0]).toMatchObject({ at: '1-'.repeat(100), count: 1 });
});

test('what the platform cannot read is given up, and holds up nothing that comes after it', async () => {
  const platform = await startPlatform();
  const http = createHttpClient();
  const client = createOpsClient({
    send: http.send,
    url: platform.url,
    key: readSigningKey(JSON.parse(platform.signingKey)),
    now: Date.now,
    newId: randomUUID,
    onAnswer: () => {},
  });
  const errors: unknown[] = [];
  const reports = startReports({ send: client.report, onError: (error) => errors.push(error) });
  const refused = { state: 'refused', reason: 'input', message: '参数不对' } as const;
  platform.script = ({ body }) => (JSON.stringify(body).includes('odd') ? refused : undefined);
  reports.refused({ user: 'mallory', kind: 'hidden', at: 'odd' });
  reports.problems('menus', ['2-b.ts: has no title']);
  await expect.poll(() => errors).toMatchObject([{ message: expect.stringContaining('参数不对') }]);
  reports.problems('menus', ['1-a.ts: has no title']);
  await reports.stop();
  await http.close();
  await platform.stop();
  expect(errors).toHaveLength(1);
  expect(platform.calls.map(({ body }) => body)).toContainEqual({
    refusals: [],
    problems: ['1-a.ts: has no title'],
  });
});

test.each([
  ['when the platform is there', false],
  ['when it was away', true],
])('the problems of every source are sent, of each the last, %s', async (_, wasAway) => {
  let isAway = wasAway;
  const reports = open(() => isAway);
  reports.problems('a', ['A']);
  if (wasAway) await expect.poll(() => reports.errors.length).toBe(1);
  reports.problems('b', ['not yet B']);
  reports.problems('b', ['B1', 'B2']);
  reports.problems('c', ['C']);
  if (wasAway) await expect.poll(() => reports.errors.length).toBe(2);
  isAway = false;
  await reports.stop();
  expect(reports.sent.map(({ problems }) => problems).sort()).toEqual([['A'], ['B1', 'B2'], ['C']]);
});

test('nothing is sent when there is nothing', async () => {
  const reports = open();
  await reports.stop();
  expect(reports.sent).toEqual([]);
});

test('the running bot reports who has no right at all', async () => {
  const running = await startBot();
  running.platform.script = ({ operation, user }) =>
    operation === 'me' && user === 'mallory' ? { state: 'done', output: {} } : undefined;
  await running.wecom.say('mallory', 'hi');
  await running.wecom.say('mallory', '1-1');
  await running.stop();
  const reported = running.platform.calls.filter(({ operation }) => operation === 'reports');
  expect(reported.map(({ body }) => body)).toEqual([
    { refusals: [{ user: 'mallory', kind: 'rights', at: '', count: 2 }], problems: [] },
  ]);
});
