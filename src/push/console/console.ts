import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { Queue } from 'bullmq';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import * as z from 'zod';
import { verifyConsoleLink } from '../../contract/console-link.ts';
import { Refused } from '../../errors.ts';
import type { Log } from '../../server/log.ts';
import type { Database } from '../database/database.ts';
import { LOGIN_PAGE, LOGIN_SCRIPT } from './login-page.ts';
import { createSessions, SESSION_SECONDS } from './sessions.ts';

export interface ConsoleParts {
  readonly db: Database;
  /** CONSOLE_KEY: what the ops platform signs links with. */
  readonly key: string;
  readonly queues: readonly Queue[];
  readonly log: Log;
  /** Unix milliseconds. */
  now(): number;
  /** An id that nobody can guess, of letters, digits, `-` and `_`. */
  newSecret(): string;
}

const QUEUES = '/console/queues';
const COOKIE = 'keypad_console';
const login = z.strictObject({ token: z.string().max(2048) });

/**
 * Adds the queue view to the internal port: `/console/login` changes a link into a session, and everything under
 * `/console/queues` is bull-board, which looks and changes nothing, for whoever has one.
 */
export async function addConsole(app: FastifyInstance, parts: ConsoleParts): Promise<void> {
  const sessions = createSessions(parts.db, parts.newSecret);
  app.addHook('onRequest', async (_request, reply) => void reply.headers(HEADERS));
  app.setErrorHandler((error: { statusCode?: number }, _request, reply) => {
    if (error instanceof Refused) return reply.code(403).send({ error: error.message });
    if (error.statusCode !== undefined && error.statusCode < 500) {
      return reply.code(error.statusCode).send({ error: '请求格式不对' });
    }
    parts.log.error({ err: error }, 'the console broke');
    return reply.code(503).send({ error: '暂时无法登录，请稍后再试。' });
  });

  app.get('/console/login', async (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(LOGIN_PAGE),
  );
  app.get('/console/login.js', async (_request, reply) => reply.type('text/javascript').send(LOGIN_SCRIPT));
  app.post('/console/login', { bodyLimit: 4096 }, async (request, reply) => {
    const { success, data } = login.safeParse(request.body);
    if (!success) return reply.code(400).send({ error: '请求格式不对' });
    const link = await verifyConsoleLink(parts.key, data.token, parts.now());
    const session = await sessions.open(link, parts.now());
    parts.log.info({ user: link.user, link: link.id }, 'the queue view was opened');
    return reply.header('set-cookie', cookieOf(session, request)).send({});
  });

  await app.register(
    async (scope) => {
      scope.addHook('onRequest', async (request, reply) => {
        const id = sessionIn(request);
        try {
          if (id === undefined || (await sessions.userOf(id, parts.now())) === null) {
            return refuse(reply, 401, '没有登录：请在菜单的「控制台」获取链接。');
          }
        } catch (err) {
          // Caught here: bull-board would tell whoever asks what went wrong.
          parts.log.error({ err }, 'the console broke');
          return refuse(reply, 503, '暂时无法查看，请稍后再试。');
        }
        // What bull-board calls read-only hides buttons; here nothing but looking gets through.
        if (request.method !== 'GET' && request.method !== 'HEAD') {
          return refuse(reply, 405, '队列视图只能查看。');
        }
      });
      await scope.register(boardOf(parts.queues));
    },
    { prefix: QUEUES },
  );
}

function boardOf(queues: readonly Queue[]) {
  const serverAdapter = new FastifyAdapter().setBasePath(QUEUES);
  const shown = queues.map((queue) => new BullMQAdapter(queue, { readOnlyMode: true }));
  createBullBoard({
    queues: shown,
    serverAdapter,
    options: { uiConfig: { boardTitle: 'Keypad' } },
  });
  return serverAdapter.registerPlugin();
}

/** No copy is kept, no frame shows it, and nothing is fetched from or told to another site. */
const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'self'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

function refuse(reply: FastifyReply, status: number, sentence: string): FastifyReply {
  return reply.code(status).type('text/plain; charset=utf-8').send(`${sentence}\n`);
}

function cookieOf(session: string, { headers }: FastifyRequest): string {
  // TLS ends at a proxy in front; who lies about it only keeps the cookie from being sent in the clear.
  const secure = headers['x-forwarded-proto'] === 'https' ? '; Secure' : '';
  return `${COOKIE}=${session}; Path=/console; Max-Age=${SESSION_SECONDS}; HttpOnly; SameSite=Strict${secure}`;
}

function sessionIn({ headers }: FastifyRequest): string | undefined {
  return new RegExp(`(?:^|;\\s*)${COOKIE}=([\\w-]{20,100})(?:;|$)`).exec(headers.cookie ?? '')?.[1];
}
