import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NoAnswer } from '../../../src/errors.ts';
import type { PushClientParts } from '../../../src/push/client.ts';
import { createPushClient, PushError } from '../../../src/push/client.ts';
import { directoryRoutes } from '../../../src/push/directory/routes.ts';
import { createHttpClient, type SendHttp } from '../../../src/server/http-client.ts';
import { WeComError } from '../../../src/wecom/api/wecom-error.ts';
import { type Behind, openMessageRoutes } from '../messages/message-routes-harness.ts';
import { type ApiHarness, openApiHarness } from './api-harness.ts';

let api: ApiHarness;
let behind: Behind;
let url: string;
let key: string;
beforeAll(async () => {
  api = await openApiHarness(
    (parts) => {
      const opened = openMessageRoutes(parts);
      behind = opened.behind;
      const directory = directoryRoutes(() => ({
        async user(userid) {
          if (userid === 'nobody') throw new WeComError('user/get', 60111, 'userid not found');
          return { userid, name: '张三', departments: [2] };
        },
        callbackRanges: async () => ['101.226.103.0/24'],
      }));
      return [...opened.routes, ...directory];
    },
    { realClock: true },
  );
  key = await api.newApp('ci', ['text', 'to:users', 'directory']);
  url = await api.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => api.stop());

const guide = readFileSync(join(import.meta.dirname, '../../../docs/push.md'), 'utf8');

/** The example of the guide in this language that signs. */
function example(language: string): string {
  const blocks = [...guide.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    ([, code = '']) => code,
  );
  return blocks.find((code) => code.includes('PUSH_APP_KEY')) ?? '';
}

describe('the examples of docs/push.md', () => {
  const run = promisify(execFile);
  const examples = [
    ['sh', 'bash', ['bash', 'openssl', 'curl']],
    ['python', 'python3', ['python3']],
  ] as const;
  for (const [language, program, needed] of examples) {
    const missing = needed.filter((name) => spawnSync(name, ['--version']).error !== undefined);
    const why = missing.length === 0 ? '' : ` (skipped: no ${missing.join(', ')} here)`;
    test.runIf(missing.length === 0)(`the one in ${language} hands in a message${why}`, async () => {
      const { PATH, HOME } = process.env;
      const env = { PATH, HOME, PUSH_URL: url, PUSH_APP_ID: 'ci', PUSH_APP_KEY: key };
      const { stdout } = await run(program, ['-c', example(language)], { env });
      const answer = JSON.parse(stdout);
      expect(answer).toMatchObject({ state: 'queued', id: expect.any(String) });
      const made = behind.made.at(-1);
      expect(made).toMatchObject({ app: 'ci', content: { text: '构建 42 失败' } });
      expect(made?.receivers).toEqual([{ receiver: 'user:zhangsan' }]);
    });
  }

  test('have about ten lines', () => {
    for (const [language] of examples) {
      expect(example(language).trim().split('\n').length).toBeLessThanOrEqual(11);
    }
  });
});

describe('the client', () => {
  const message = { to: { users: ['zhangsan'] }, text: 'hello' };
  const open = (more: Partial<PushClientParts> = {}) => createPushClient({ url, app: 'ci', key, ...more });
  const failure = async (promise: Promise<unknown>): Promise<PushError> => {
    const error = await promise.catch((each: unknown) => each);
    if (error instanceof PushError) return error;
    throw new Error('no PushError');
  };

  test('pushes, sends, and asks for messages, members and networks', async () => {
    const client = open();
    const pushed = await client.push({ ...message, opaque: 'mine' });
    expect(pushed).toEqual({ id: expect.any(String), state: 'queued', opaque: 'mine' });
    expect(await client.send(message)).toMatchObject({ state: 'queued' });
    expect(await client.message(pushed.id)).toMatchObject({
      id: pushed.id,
      receivers: [{ receiver: 'user:zhangsan', state: 'queued' }],
    });
    expect(await client.user('ZhangSan')).toEqual({ userid: 'zhangsan', name: '张三', departments: [2] });
    expect(await client.callbackRanges()).toEqual(['101.226.103.0/24']);
  });

  test('throws what was said, with the status and the errcode of WeCom', async () => {
    expect(await failure(open().push({ ...message, text: ' ' }))).toMatchObject({
      status: 400,
      message: 'text: must not be empty',
    });
    expect(await failure(open({ key: 'wrong' }).push(message))).toMatchObject({ status: 401 });
    expect(await failure(open().user('nobody'))).toMatchObject({ status: 502, errcode: 60111 });
    expect(await failure(open().user('no userid'))).toMatchObject({ status: 400 });
  });

  test('repeats a request whose connection failed once, with a nonce of its own, if it has an idempotency key', async () => {
    let calls = 0;
    const broken = { send: () => Promise.reject(new NoAnswer(`call ${++calls}`, true)) };
    expect(await failure(open(broken).push(message))).toMatchObject({ status: 0 });
    expect(calls).toBe(1);
    expect(await failure(open(broken).push({ ...message, idempotencyKey: 'a' }))).toMatchObject({
      status: 0,
    });
    expect(calls).toBe(3);

    const nonces: unknown[] = [];
    const http = createHttpClient();
    const once: SendHttp = async (request) => {
      nonces.push(new Headers(request.headers as Record<string, string>).get('x-keypad-nonce'));
      const answered = await http.send(request);
      if (nonces.length === 1) throw new NoAnswer('(lost)', true);
      return answered;
    };
    const before = behind.made.length;
    const pushed = await open({ send: once }).push({ ...message, idempotencyKey: 'b' });
    expect(new Set(nonces).size).toBe(2);
    expect(behind.made.length - before).toBe(2);
    const rows = await api.db
      .selectFrom('messages')
      .select('id')
      .where('idempotency_key', '=', 'b')
      .execute();
    expect(rows).toEqual([{ id: pushed.id }]);
  });

  test('shows its key in no error', async () => {
    const error = await failure(open({ url: 'http://127.0.0.1:1' }).push(message));
    expect(`${error.stack}${JSON.stringify(error)}${error.cause}`).not.toContain(key);
  });
});
