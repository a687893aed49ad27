import { fastify } from 'fastify';
import { describe, expect, test } from 'vitest';
import { readTraceId } from '../../src/server/http-server.ts';
import { createLog } from '../../src/server/log.ts';
import { secretNames } from '../../src/server/redaction.ts';

function listen(level = 'debug') {
  const lines: string[] = [];
  const log = createLog({ level, destination: { write: (line) => lines.push(line) } });
  return { log, text: () => lines.join(''), last: () => JSON.parse(lines.at(-1) ?? '') };
}

describe('a log line', () => {
  test('is one JSON object with the time, the level as a word and the id of its message', () => {
    const { log, last } = listen();
    log.child({ id: 'msg-1' }).info({ operation: 'k8s.scale' }, 'done');
    expect(last()).toMatchObject({ level: 'info', id: 'msg-1', operation: 'k8s.scale', msg: 'done' });
    expect(last().time).toMatch(/^\d{4}-\d\d-\d\dT/);
  });

  test('is written from its level up', () => {
    const { log, text } = listen('warn');
    log.info('too quiet');
    expect(text()).toBe('');
  });

  test('tells an error by name, message, code, stack and causes', () => {
    const { log, last } = listen();
    const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    log.error({ err: new TypeError('fetch failed', { cause: refused }) }, 'no answer');
    expect(last().err).toMatchObject({
      type: 'TypeError',
      message: 'fetch failed',
      stack: expect.stringContaining('log.test.ts'),
      cause: { message: 'refused', code: 'ECONNREFUSED' },
    });
  });
});

describe('a terminal obeys nothing of a log', () => {
  test.each([
    '\u001b[2J',
    '\u009b2J',
    '\u0085',
    '\u2028',
    'a\u202eb\u2066',
    '\u200b\ufeff',
    '\u{e0041}',
    '\ud800',
    '\u007f',
  ])('%j is written with escapes, and reads as what it was', (hostile) => {
    const { log, last, text } = listen();
    log.child({ user: hostile }).error({ [hostile]: hostile, err: new Error(hostile) }, hostile);
    expect(text()).not.toMatch(/(?!\n$)[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u);
    expect(last()).toMatchObject({
      user: hostile,
      [hostile]: hostile,
      msg: hostile,
      err: { message: hostile },
    });
  });
});

describe('no secret is written', () => {
  test.each([...secretNames, 'signingKey', 'verifying_keys', 'Authorization', 'WECOM_SECRET'])(
    'in a field named %s: on top, deep inside, or bound to a grandchild',
    (name) => {
      const { log, text } = listen();
      log.info({ [name]: 'hunter2' });
      log.info({ config: { list: [{ [name]: { d: 'hunter2' } }] } });
      expect(text()).not.toContain('hunter2');
      expect(text().split('[secret]')).toHaveLength(3);
    },
  );

  test.each(secretNames)('in a field named %s that is bound to a child of a child', (name) => {
    const { log, last, text } = listen();
    log
      .child({ id: 'msg-1' })
      .child({ [name]: 'hunter2' })
      .info('bound');
    expect(last()).toMatchObject({ id: 'msg-1', [name]: '[secret]' });
    expect(text()).not.toContain('hunter2');
  });

  test.each([
    'GET https://qyapi.weixin.qq.com/cgi-bin/user/get?access_token=hunter2&userid=x failed',
    '/wecom/callback?msg_signature=1&echostr=hunter2',
    'cannot connect to mysql://keypad:hunter2@127.0.0.1:3306/keypad',
    'cannot connect to redis://:hunter2@127.0.0.1:6379',
    'cannot connect to redis://hunter2@127.0.0.1:6379',
    'authorization: Bearer eyJhbGciOiJFZERTQSJ9.eyJodW50ZXIyIjoxfQ.hunter2',
  ])('in a message, a field or an error that says "%s"', (sentence) => {
    const { log, text } = listen();
    log.info(sentence);
    log.info({ url: sentence, deep: { list: [sentence] } });
    log.child({ url: sentence }).info('bound');
    log.error({ err: new Error(sentence, { cause: new Error(sentence) }) });
    expect(text()).not.toContain('hunter2');
    expect(
      text()
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
    ).toHaveLength(4);
  });

  test('in what a client hangs on its error', () => {
    const { log, text } = listen();
    const error = Object.assign(new Error('broke'), {
      command: { name: 'set', args: ['hunter2'] },
      response: { headers: { x: 'hunter2' } },
    });
    log.error({ err: error });
    log.error({ error });
    expect(text()).not.toContain('hunter2');
  });

  test('in the line that Fastify writes for a request', async () => {
    const { log, text } = listen();
    const app = fastify({ loggerInstance: log });
    app.get('/wecom/callback', async () => 'ok');
    await app.inject({ url: '/wecom/callback?echostr=hunter2', headers: { authorization: 'hunter2' } });
    await app.close();
    expect(text()).toContain('"path":"/wecom/callback"');
    expect(text()).not.toContain('hunter2');
  });

  test('and what is no secret stays readable', () => {
    const { log, last } = listen();
    log.info({
      user: 'zhangsan',
      url: 'http://127.0.0.1:8081/v1',
      note: 'really? yes',
      many: [1, { a: 'b' }],
    });
    expect(last()).toMatchObject({
      user: 'zhangsan',
      url: 'http://127.0.0.1:8081/v1',
      note: 'really? yes',
      many: [1, { a: 'b' }],
    });
  });
});

describe('the id that travels from bot to ops', () => {
  test('is taken when it is short and plain', () => {
    expect(readTraceId('0f8fad5b-d9cb-469f-a165-70867728950e')).toBe('0f8fad5b-d9cb-469f-a165-70867728950e');
  });

  test.each([undefined, '', 'a'.repeat(65), 'a b', 'a\nb', '"}', ['a', 'b'], '日志'])(
    '%j is ignored',
    (header) => {
      expect(readTraceId(header)).toBeUndefined();
    },
  );
});
