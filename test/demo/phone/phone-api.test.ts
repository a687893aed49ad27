import { request } from 'node:http';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { demoMembers } from '../../../demo/wecom/app.ts';
import type { Message } from '../../../demo/wecom/history.ts';
import { startWeCom } from '../../../demo/wecom/start.ts';
import { app, fieldOf, reply, startBot } from '../wecom/small-bot.ts';

const bot = await startBot(({ plaintext }) =>
  reply(`收到 ${fieldOf(plaintext, 'Content')}`, { ToUserName: fieldOf(plaintext, 'FromUserName') ?? '' }),
);
const quiet = { userid: 'quiet', name: '安静', position: '', department: [] };
const members = [...demoMembers, quiet];
const wecom = await startWeCom({ ...app, callbackUrls: [bot.url], members, port: 0 });
afterAll(async () => {
  await wecom.stop();
  await bot.stop();
});
beforeEach(() => wecom.faults.set([]));

async function call(path: string, method = 'GET', body?: unknown) {
  const response = await fetch(`${wecom.url}${path}`, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' } }),
    body: body === undefined ? null : JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as unknown };
}

async function push(touser: string, content: string): Promise<void> {
  const tokens = await call(`/cgi-bin/gettoken?corpid=${app.corpId}&corpsecret=${app.secret}`);
  const { access_token } = tokens.body as { access_token: string };
  const message = { touser, msgtype: 'text', agentid: app.agentId, text: { content } };
  await call(`/cgi-bin/message/send?access_token=${access_token}`, 'POST', message);
}

/** Reads server-sent events until `count` messages have come. */
async function readEvents(path: string, count: number, headers: Record<string, string> = {}) {
  const stop = new AbortController();
  const response = await fetch(`${wecom.url}${path}`, { headers, signal: stop.signal });
  const messages = (async () => {
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString();
      const lines = text.split('\n').filter((line) => line.startsWith('data: '));
      if (lines.length >= count) break;
    }
    stop.abort();
    return [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data as string) as Message);
  })();
  return { messages, type: response.headers.get('content-type') };
}

describe('POST /api/say', () => {
  test('answers with the passive reply, and the message list has both', async () => {
    const { status, body } = await call('/api/say', 'POST', { user: 'wangwu', text: '1' });
    expect(status).toBe(200);
    expect(body).toMatchObject({ reply: '收到 1', attempts: 1, status: 200, ms: expect.any(Number) });
    const list = (await call('/api/messages?user=wangwu')).body as Message[];
    const { msgid } = body as { msgid: string };
    expect(list.map(({ direction, kind, text }) => [direction, kind, text])).toEqual([
      ['out', 'sent', '1'],
      ['in', 'passive', '收到 1'],
    ]);
    expect(list.every((message) => message.msgid === msgid && message.time > 1_767_225_600_000)).toBe(true);
  });

  test('delivers the same message as often as asked', async () => {
    const before = bot.received.length;
    const { body } = await call('/api/say', 'POST', { user: 'lisi', text: '2', times: 3, gapMs: 1 });
    expect(body).toMatchObject({ attempts: 3, replies: ['收到 2', '收到 2', '收到 2'] });
    expect(new Set(bot.received.slice(before).map(({ plaintext }) => plaintext)).size).toBe(1);
  });

  test.each([
    [
      { user: 'nobody', text: '1' },
      'user must be one of zhangsan, lisi, wangwu, mallory, quiet, not nobody.',
    ],
    [{ user: 'lisi' }, 'text'],
    [{ user: 'lisi', text: '' }, 'text'],
    [{ user: 'lisi', text: '1', times: 101 }, 'times'],
    [{ user: 'lisi', text: '1', surprise: true }, 'surprise'],
    [[], 'expected object'],
  ])('refuses %j with a sentence', async (body, sentence) => {
    const answer = await call('/api/say', 'POST', body);
    expect(answer.status).toBe(400);
    expect((answer.body as { error: string }).error).toContain(sentence);
  });
});

test('the messages of an unknown user are refused, and of a quiet one empty', async () => {
  expect((await call('/api/messages?user=nobody')).status).toBe(400);
  expect((await call('/api/messages')).status).toBe(400);
  expect((await call('/api/messages?user=quiet')).body).toEqual([]);
});

test('the members can be listed', async () => {
  const { body } = await call('/api/users');
  expect(body).toContainEqual({ userid: 'lisi', name: '李四', position: '电商开发' });
});

describe('PUT /api/faults', () => {
  test('sets faults that the server API then meets', async () => {
    const faults = [{ api: 'message/send', errcode: 45009, times: 3 }];
    expect(await call('/api/faults', 'PUT', faults)).toEqual({ status: 200, body: faults });
    expect((await call('/cgi-bin/message/send', 'POST', {})).body).toMatchObject({ errcode: 45009 });
    expect((await call('/api/faults')).body).toEqual([{ ...faults[0], times: 2 }]);
  });

  test.each([
    [[{ api: 'nothing', errcode: 1 }], 'api'],
    [[{ api: 'gettoken', times: 0 }], 'times'],
    [{ api: 'gettoken' }, 'array'],
  ])('refuses %j with a sentence', async (body, sentence) => {
    const answer = await call('/api/faults', 'PUT', body);
    expect(answer.status).toBe(400);
    expect((answer.body as { error: string }).error).toContain(sentence);
  });
});

describe('GET /api/events', () => {
  test('brings a pushed message of that user, and of nobody else', async () => {
    const { messages, type } = await readEvents('/api/events?user=zhangsan', 1);
    await push('lisi', '不是给你的');
    await push('zhangsan', '已完成');
    expect(type).toContain('text/event-stream');
    expect(await messages).toMatchObject([{ user: 'zhangsan', kind: 'push', text: '已完成' }]);
  });

  test('after a break brings what was missed, then what comes', async () => {
    await push('mallory', '一');
    const first = wecom.history.list('mallory').at(-1) as Message;
    await push('mallory', '二');
    for (const [query, headers] of [
      ['', { 'last-event-id': `${first.id}` }],
      [`&after=${first.id}`, {}],
      ['&after=0', { 'last-event-id': `${first.id}` }],
    ] as const) {
      const { messages } = await readEvents(`/api/events?user=mallory${query}`, 2, headers);
      await push('mallory', '三');
      expect((await messages).slice(0, 2).map(({ text }) => text)).toEqual(['二', '三']);
    }
  });

  test('refuses an id that is none', async () => {
    expect((await call('/api/events?after=yesterday')).status).toBe(400);
  });
});

describe('only a page of this machine may use the phone:', () => {
  /** fetch does not let a caller choose the Host. */
  const statusFor = (path: string, headers: Record<string, string>): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const asking = request(`${wecom.url}${path}`, { headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      asking.once('error', reject);
      asking.end();
    });
  const { host, port } = new URL(wecom.url);

  test.each([
    ['its own name', { host }, 200],
    ['localhost', { host: `localhost:${port}` }, 200],
    ['its own page', { host, origin: wecom.url }, 200],
    ['a name that was bound to it', { host: `evil.example:${port}` }, 403],
    ['another address', { host: '10.0.0.1' }, 403],
    ['a foreign page', { host, origin: 'https://evil.example' }, 403],
    ['a page on another port', { host, origin: 'http://127.0.0.1:1' }, 403],
    ['a page without a name', { host, origin: 'null' }, 403],
  ])('%s', async (_, headers, status) => {
    for (const path of ['/', '/api/users', '/page.js']) expect(await statusFor(path, headers)).toBe(status);
  });
});
