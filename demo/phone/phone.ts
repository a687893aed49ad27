import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import { fault } from '../wecom/faults.ts';
import type { WeCom } from '../wecom/wecom.ts';
import { addEvents } from './events.ts';
import { addMedia } from './media.ts';
import { refuseForeigners } from './own-host.ts';
import { addPageFiles } from './page-files.ts';

const said = z.strictObject({
  user: z.string(),
  text: z.string().min(1).max(20_000),
  times: z.int().min(1).max(100).exactOptional(),
  gapMs: z.int().min(0).max(60_000).exactOptional(),
  attemptMs: z.int().min(1).max(60_000).exactOptional(),
  createTime: z.int().min(0).exactOptional(),
  msgId: z
    .string()
    .regex(/^\d{1,19}$/)
    .exactOptional(),
});

/** Adds the phone: its page, the JSON API that drives it, and the stream of messages. Answers loopback only. */
export async function addPhone(http: FastifyInstance, wecom: WeCom): Promise<void> {
  const { members, groups, history, faults } = wecom;
  const isMember = (user: string | undefined): boolean => members.some(({ userid }) => userid === user);
  const unknown = (user: string | undefined) => ({
    error: `user must be one of ${members.map(({ userid }) => userid).join(', ')}, not ${user ?? 'left out'}.`,
  });

  http.addHook('onRequest', refuseForeigners);
  await addPageFiles(http);
  await addEvents(http, history);
  await addMedia(http, wecom.uploads);

  http.get('/api/users', () => members.map(({ userid, name, position }) => ({ userid, name, position })));

  http.get('/api/groups', () =>
    groups.map(({ id, name }) => ({
      userid: id,
      name,
      position: id.startsWith('robot:') ? '群机器人' : '群聊',
      isGroup: true,
    })),
  );

  http.get<{ Querystring: { user?: string } }>('/api/messages', (request, reply) => {
    const { user } = request.query;
    const isKnown = isMember(user) || groups.some(({ id }) => id === user);
    if (user === undefined || !isKnown) return reply.code(400).send(unknown(user));
    return reply.send(history.list(user));
  });

  http.post('/api/say', async (request, reply) => {
    const body = said.safeParse(request.body);
    if (!body.success) return reply.code(400).send({ error: z.prettifyError(body.error) });
    const { user, text, ...delivery } = body.data;
    if (!isMember(user)) return reply.code(400).send(unknown(user));
    return wecom.say(user, text, delivery);
  });

  http.get('/api/faults', () => faults.list());

  http.put('/api/faults', (request, reply) => {
    const body = z.array(fault).safeParse(request.body);
    if (!body.success) return reply.code(400).send({ error: z.prettifyError(body.error) });
    faults.set(body.data);
    return reply.send(faults.list());
  });
}
