import { describe, expect, test } from 'vitest';
import { decideRetry, MOST_TRIES, type RetryDecision } from '../../../src/push/sending/retry-policy.ts';
import type { Errcode } from '../../../src/wecom/api/errcodes.ts';
import { WeComError } from '../../../src/wecom/api/wecom-error.ts';

const middle = () => 0.5;

function decideOn(errcode: Errcode, tries = 1, api = 'message/send', wasLost = false): RetryDecision {
  return decideRetry(new WeComError(api, errcode, 'what WeCom said'), { tries, wasLost }, middle);
}

/** The classes of the protocol page (§4.13), each with all its codes. */
const classes: readonly (readonly [string, readonly Errcode[], RetryDecision])[] = [
  [
    'transient: busy, never reached, no answer or HTTP 5xx',
    [-1, 'unsent', 'lost'],
    { kind: 'again', afterMs: 500 },
  ],
  ['a token refused even after the refresh', [40014, 42001], { kind: 'pause' }],
  ['rate and concurrency', [45009, 45033], { kind: 'wait', forMs: 60_000, whole: true }],
  ['a media_id that is gone', [40007], { kind: 'media' }],
  ['secret and corp', [40001, 40091, 40013, 41002, 41004], { kind: 'pause' }],
  ['agent', [40056, 41011, 301002], { kind: 'pause' }],
  [
    'what the app may not do at all, from nowhere or from this address',
    [48002, 50003, 60020],
    { kind: 'pause' },
  ],
  ['the visible range, callback URL and domains', [40057, 60011, 60021, 50001, 50002], { kind: 'failed' }],
  ['the token not in the URL', [41001], { kind: 'failed' }],
  ['userid', [40003, 60111, 46004], { kind: 'failed' }],
  ['parameters', [40008, 40035, 40058, 40063], { kind: 'failed' }],
  ['media', [40004, 40005, 40006, 40011, 44001, 45001, 45007, 41006], { kind: 'failed' }],
  ['too many at once', [40032, 82002, 82003], { kind: 'failed' }],
  ['nobody to send to', [81012, 81013, 82001], { kind: 'failed' }],
  ['content', [40033, 40201, 85002, 44004, 45002, 45008], { kind: 'failed' }],
  ['card', [42014], { kind: 'failed' }],
  ['mini program', [90207, 90208], { kind: 'failed' }],
  ['group', [86001, 86003, 86006, 86008, 86207, 86215, 86216, 86217, 40050, 49008], { kind: 'failed' }],
  ['robot', [93000, 93004, 93006, 93008], { kind: 'failed' }],
  ['unknown', [99999, 0.5, -2], { kind: 'failed' }],
];

describe('what WeCom answers decides', () => {
  test.each(
    classes.flatMap(([name, errcodes, decision]) =>
      errcodes.map((errcode) => [name, errcode, decision] as const),
    ),
  )('%s: %s', (_, errcode, decision) => {
    expect(decideOn(errcode)).toEqual(decision);
  });
});

test('every code of the protocol page comes with advice of its own', () => {
  const listed = classes.filter(([name]) => name !== 'unknown').flatMap(([, errcodes]) => errcodes);
  const without = listed.filter((errcode) =>
    /not in our table/.test(new WeComError('x', errcode, '').advice),
  );
  expect(without).toEqual([]);
  expect(new WeComError('x', 99999, '').advice).toContain('not in our table');
});

test('a repeat waits 500 ms, doubling; after eight tries the delivery is dead', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7].map((tries) => decideOn(-1, tries));
  expect(waits).toEqual(
    [500, 1000, 2000, 4000, 8000, 16_000, 32_000].map((afterMs) => ({ kind: 'again', afterMs })),
  );
  expect(MOST_TRIES).toBe(8);
  expect(decideOn(-1, 8)).toEqual({ kind: 'dead' });
  expect(decideOn(42001, 100)).toEqual({ kind: 'pause' });
});

test('waits are spread from half to one and a half of it', () => {
  const error = new WeComError('message/send', -1, '');
  expect(decideRetry(error, { tries: 3, wasLost: false }, () => 0)).toEqual({ kind: 'again', afterMs: 1000 });
  expect(decideRetry(error, { tries: 3, wasLost: false }, () => 0.9999)).toEqual({
    kind: 'again',
    afterMs: 3000,
  });
});

test('a limit is no try: it waits however often it was tried, and never dies', () => {
  expect(decideOn(45009, 100)).toEqual({ kind: 'wait', forMs: 60_000, whole: true });
});

test('without a token nothing is said of a message, whatever gettoken answers', () => {
  for (const errcode of [40001, 40013, 41004, 60020, 99999])
    expect(decideOn(errcode, 100, 'gettoken')).toEqual({ kind: 'pause' });
  expect(decideOn(45009, 1, 'gettoken')).toMatchObject({ kind: 'wait', whole: true });
  expect(decideOn('unsent', 1, 'gettoken')).toMatchObject({ kind: 'again' });
});

test('no refusal of a robot is one of an account', () => {
  for (const errcode of [40001, 48002, 50003, 60020])
    expect(decideOn(errcode, 1, 'webhook/send')).toEqual({ kind: 'failed' });
});

test('an app that may not write to group chats holds up the chat only', () => {
  expect(decideOn(48002, 100, 'appchat/send')).toEqual({ kind: 'wait', forMs: 60_000, whole: false });
  expect(decideOn(60020, 1, 'appchat/send')).toEqual({ kind: 'pause' });
});

test('the limit of a robot holds up this robot only', () => {
  expect(decideOn(45009, 1, 'webhook/send')).toEqual({ kind: 'wait', forMs: 60_000, whole: false });
  expect(decideOn(45009, 1, 'webhook/upload_media')).toMatchObject({ whole: false });
  expect(decideOn(45009, 1, 'appchat/send')).toMatchObject({ whole: true });
});

test('media that is refused after every upload fails in the end', () => {
  expect(decideOn(40007, 7)).toEqual({ kind: 'media' });
  expect(decideOn(40007, 8)).toEqual({ kind: 'failed' });
});

test('errmsg decides nothing', () => {
  const error = new WeComError('message/send', 60111, 'api freq out of limit, retry later, -1');
  expect(decideRetry(error, { tries: 1, wasLost: false }, middle)).toEqual({ kind: 'failed' });
});

test('a task_id that is used says that a card was sent where an answer was lost, and nothing else does', () => {
  const codes = [42014, 42039, 60111] as const;
  const kinds = codes.map((errcode) => decideOn(errcode, 2, 'message/send', true).kind);
  expect(kinds).toEqual(['sent', 'failed', 'failed']);
});
