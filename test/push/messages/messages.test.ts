// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how templates are written
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hashOf } from '../../../src/push/apps/signature.ts';
import { type ApiHarness, type ApiRequest, type ApiResponse, openApiHarness } from '../http/api-harness.ts';
import { type Behind, openMessageRoutes } from './message-routes-harness.ts';

const all = ['text', 'markdown', 'textcard', 'image', 'file', 'news', 'templateCard', 'template'];
const to = ['to:users', 'to:departments', 'to:tags', 'to:chats', 'to:robots', 'to:all'];

let api: ApiHarness;
let behind: Behind;
beforeAll(async () => {
  api = await openApiHarness((parts) => {
    const opened = openMessageRoutes(parts);
    behind = opened.behind;
    return opened.routes;
  });
  await api.newApp('ci', [...all, ...to], { callbackHosts: ['hooks.internal'] });
  await api.newApp('other', ['text']);
  await api.newApp('narrow', ['text', 'template:alarm', 'to:users:zhangsan', 'to:robots']);
});
afterAll(() => api.stop());
beforeEach(() => {
  behind.made.length = 0;
  behind.used.length = 0;
});

const hand = (json: unknown, more: Partial<ApiRequest> = {}): Promise<ApiResponse> =>
  api.say({ path: '/v1/messages', json, ...more });
const users = { users: ['zhangsan'] };
const text = { to: users, text: 'hello' };

describe('a message is taken down', () => {
  test('with its receivers each once, userids in lower case, and defaults', async () => {
    const message = {
      to: {
        users: ['ZhangSan', 'zhangsan'],
        departments: [2, '2'],
        tags: [7],
        chats: ['C1'],
        robots: ['ops-room'],
      },
      text: 'hello',
      opaque: 'yours',
    };
    const answer = await hand(message);
    expect(answer).toMatchObject({ status: 202, body: { state: 'queued', opaque: 'yours' } });
    const [made] = behind.made;
    expect(made).toMatchObject({ app: 'ci', lane: 'normal', content: { text: 'hello' } });
    expect(made?.receivers.map(({ receiver }) => receiver)).toEqual([
      'user:zhangsan',
      'party:2',
      'tag:7',
      'chat:C1',
      'robot:ops-room',
    ]);
    const seen = await api.say({ path: `/v1/messages/${answer.body.id}` });
    expect(seen.body).toMatchObject({
      id: answer.body.id,
      state: 'queued',
      priority: 'normal',
      opaque: 'yours',
    });
    expect(seen.body.receivers).toHaveLength(5);
    expect(seen.body.receivers[0]).toMatchObject({ state: 'queued', maybeTwice: false, attempts: [] });
  });

  test.each([0, 7, -1.5, 9_007_199_254_740_991, '7', ''.padEnd(1024, '好')])(
    'with an opaque that comes back as it was: %j',
    async (opaque) => {
      const answer = await hand({ ...text, opaque });
      expect(answer).toMatchObject({ status: 202, body: { opaque } });
      const seen = await api.say({ path: `/v1/messages/${answer.body.id}` });
      expect(seen.body.opaque).toBe(opaque);
    },
  );

  test('with priority, time and address of the result', async () => {
    const callbackUrl = 'http://hooks.internal/done';
    const sendAt = new Date(api.clock.now + 3_600_000).toISOString();
    await hand({ ...text, priority: 'alert', sendAt, callbackUrl });
    await hand({ ...text, sendAt: api.clock.now / 1000 + 3600 });
    expect(behind.made[0]).toMatchObject({ lane: 'alert', sendAt: api.clock.now + 3_600_000, callbackUrl });
    expect(behind.made[1]).toMatchObject({ sendAt: api.clock.now + 3_600_000 });
  });

  test('with mentions and plain text only beside what they belong to', async () => {
    await hand({ to: { chats: ['C1'] }, text: 'hello', mentioned: ['ZhangSan'] });
    await hand({ to: users, markdown: '**hello**', plainTextFor: 'all' });
    expect(behind.made.map(({ content }) => content)).toEqual([
      { text: 'hello', mentioned: ['zhangsan'] },
      { markdown: '**hello**', plainTextFor: 'all' },
    ]);
  });

  test('as it is, with ${NAME} and all, when it is no template', async () => {
    await hand({ to: users, text: 'costs ${PRICE} $1' });
    expect(behind.made[0]).toMatchObject({ content: { text: 'costs ${PRICE} $1' } });
    expect(behind.made[0]).not.toHaveProperty('variables');
  });

  test('as its template, unfilled, with the variables beside it', async () => {
    behind.templates.set('alarm', { text: '${HOST} is down, ${USERID}' });
    const template = { key: 'alarm', variables: { HOST: 'a "quoted"\n\\ $1 ${USERID}' } };
    expect(await hand({ to: users, template })).toMatchObject({ status: 202 });
    expect(behind.made[0]).toMatchObject({
      content: { text: '${HOST} is down, ${USERID}' },
      variables: template.variables,
      template: { key: 'alarm', version: 1 },
    });
  });
});

describe('is refused in one sentence that names', () => {
  const long = (length: number) => 'x'.repeat(length);
  const url = 'https://example.com/';
  test.each<[string, unknown, string]>([
    ['no receiver', { text: 'a' }, 'to'],
    ['an empty receiver', { to: {}, text: 'a' }, 'to: must name at least one receiver'],
    ['a field that is none', { ...text, tex: 'a' }, 'tex'],
    ['a receiver that is none', { to: { user: ['a'] }, text: 'a' }, 'to'],
    ['too many users', { to: { users: Array(1001).fill('a') }, text: 'a' }, 'to.users: must be at most 1000'],
    ['too many departments', { to: { departments: Array(101).fill(1) }, text: 'a' }, 'to.departments'],
    ['too many tags', { to: { tags: Array(101).fill(1) }, text: 'a' }, 'to.tags'],
    ['too many chats', { to: { chats: Array(101).fill('a') }, text: 'a' }, 'to.chats'],
    ['too many robots', { to: { robots: Array(21).fill('a') }, text: 'a' }, 'to.robots'],
    ['no userid', { to: { users: ['a', 'a|b'] }, text: 'a' }, 'to.users.1: must be a userid'],
    ['no department', { to: { departments: ['a'] }, text: 'a' }, 'to.departments.0: must be an id'],
    ['no chatid', { to: { chats: ['a b'] }, text: 'a' }, 'to.chats.0: must be a chatid'],
    ['@all among others', { to: { users: ['@all', 'a'] }, text: 'a' }, 'to: must have @all without'],
    ['an unknown robot', { to: { robots: ['x'] }, text: 'a' }, 'no robot "x"'],
    ['no content', { to: users }, 'exactly one of text, markdown'],
    ['two contents', { ...text, markdown: 'a' }, 'exactly one of text, markdown'],
    ['an empty text', { to: users, text: ' ' }, 'text: must not be empty'],
    ['a long text', { to: users, text: long(20_481) }, 'text: must be at most 20480 bytes'],
    ['half a character', { to: users, text: '\ud800' }, 'text: must not hold half characters'],
    ['a long markdown', { to: users, markdown: long(2049) }, 'markdown: must be at most 2048 bytes'],
    [
      'a longer one for robots',
      { to: { robots: ['ops-room'] }, markdown: long(4097) },
      'markdown: must be at most 4096',
    ],
    ['a long title', { to: users, textcard: { title: long(129), description: 'a', url } }, 'textcard.title'],
    ['a card without address', { to: users, textcard: { title: 'a', description: 'a' } }, 'textcard.url'],
    ['nine articles', { to: users, news: { articles: Array(9).fill({ title: 'a', url }) } }, 'news.articles'],
    ['no card', { to: users, templateCard: { card_type: 'nothing' } }, 'templateCard'],
    [
      'a card in a chat',
      {
        to: { chats: ['C1'] },
        templateCard: { card_type: 'text_notice', main_title: { title: 'a' }, card_action: { type: 1, url } },
      },
      'templateCard: chats',
    ],
    [
      'a textcard through a robot',
      { to: { robots: ['ops-room'] }, textcard: { title: 'a', description: 'a', url } },
      'textcard: robots',
    ],
    ['mentions beside no text', { to: users, markdown: 'a', mentioned: ['a'] }, 'mentioned only beside text'],
    [
      'mentions beside a template',
      { to: users, template: { key: 'alarm' }, mentioned: ['a'] },
      'may have mentioned and plainTextFor not beside template',
    ],
    ['plain text beside text', { ...text, plainTextFor: 'all' }, 'plainTextFor only beside markdown'],
    ['a media_id', { to: users, image: { media_id: 'a' } }, 'image'],
    ['no hash', { to: users, file: { sha256: 'a', name: 'a' } }, 'file.sha256'],
    ['a file without name', { to: users, file: { sha256: hashOf('a') } }, 'file.name'],
    ['a picture that is not kept', { to: users, image: { sha256: hashOf('a') } }, 'not kept'],
    ['a strange address', { to: users, imageUrl: 'file:///etc/passwd' }, 'imageUrl: must be an http'],
    [
      'an idempotencyKey with a space at its end',
      { ...text, idempotencyKey: 'k ' },
      'idempotencyKey: must not end',
    ],
    ['a long idempotencyKey', { ...text, idempotencyKey: long(129) }, 'idempotencyKey: must be at most 128'],
    [
      'an opaque that JSON does not keep',
      { ...text, opaque: 2 ** 53 },
      'opaque: must be a number that JSON keeps',
    ],
    [
      'an opaque that could be taken for a number',
      { ...text, opaque: '\u00007' },
      'opaque: must not begin with',
    ],
    ['an opaque of another kind', { ...text, opaque: [7] }, 'opaque:'],
    ['a long opaque', { ...text, opaque: long(1025) }, 'opaque: must be at most 1024'],
    ['another priority', { ...text, priority: 'high' }, 'priority: must be one of alert, normal, bulk'],
    ['a time without offset', { ...text, sendAt: '2026-11-21T08:00:00' }, 'sendAt: must be an ISO time'],
    ['a far time', { ...text, sendAt: '2027-11-21T08:00:00Z' }, 'sendAt: must be at most 90 days'],
    ['waiting for the future', { ...text, wait: true, sendAt: '2026-11-22T08:00:00Z' }, 'wait only without'],
    ['a foreign callback host', { ...text, callbackUrl: 'https://evil.example/' }, 'the host "evil.example"'],
    ['a login in the callback', { ...text, callbackUrl: 'https://a:b@hooks.internal/' }, 'without a login'],
    ['an unknown template', { to: users, template: { key: 'none' } }, 'no template "none"'],
    ['a strange template key', { to: users, template: { key: 'a/b' } }, 'template.key'],
    ['no object', [], 'the message'],
    ['no text', { to: users, text: 1 }, 'text'],
    ['no boolean', { ...text, wait: 'yes' }, 'wait'],
  ])('%s', async (_name, json, words) => {
    const answer = await hand(json);
    expect(answer).toEqual({ ...answer, status: 400, body: { error: expect.stringContaining(words) } });
    expect(answer.body.error).not.toContain('\n');
    expect(behind.made).toEqual([]);
  });

  test('the variables that a template misses', async () => {
    behind.templates.set('alarm', { text: '${HOST} ${STATE} ${USERID}' });
    const template = { key: 'alarm', variables: { HOST: 'a' } };
    expect(await hand({ to: users, template })).toMatchObject({
      status: 400,
      body: { error: expect.stringMatching(/STATE/) },
    });
    const whole = { key: 'alarm', variables: { HOST: 'a', STATE: 'b' } };
    expect(await hand({ to: { departments: [1] }, template: whole })).toMatchObject({
      status: 400,
      body: { error: expect.stringMatching(/USERID/) },
    });
  });

  test('a card whose task_id WeCom would be sent in a second call', async () => {
    const card = {
      card_type: 'vote_interaction',
      main_title: { title: 'a' },
      submit_button: { key: 's' },
      checkbox: { question_key: 'q', option_list: [{ id: '1', text: 'one' }] },
    };
    const two = { users: ['zhangsan', 'lisi'] };
    const refused = {
      status: 400,
      body: { error: expect.stringContaining('templateCard.task_id: WeCom takes') },
    };
    const own = { ...card, task_id: 'deploy-1' };
    expect(await hand({ to: users, templateCard: own })).toMatchObject({ status: 202 });
    expect(await hand({ to: { departments: [2] }, templateCard: own })).toMatchObject({ status: 202 });
    expect(await hand({ to: two, templateCard: own })).toMatchObject(refused);
    expect(await hand({ to: { departments: [2], tags: [3] }, templateCard: own })).toMatchObject(refused);

    behind.templates.set('each', { templateCard: { ...card, task_id: '${ID}-${USERID}' } });
    behind.templates.set('all', { templateCard: { ...card, task_id: '${ID}' } });
    const filled = (key: string) => ({ key, variables: { ID: 'deploy-2' } });
    expect(await hand({ to: two, template: filled('each') })).toMatchObject({ status: 202 });
    expect(await hand({ to: users, template: filled('all') })).toMatchObject({ status: 202 });
    expect(await hand({ to: two, template: filled('all') })).toMatchObject(refused);
  });

  test('what a filled template is too long for', async () => {
    behind.templates.set('note', { markdown: '${TEXT}' });
    const template = { key: 'note', variables: { TEXT: 'x'.repeat(2049) } };
    expect(await hand({ to: users, template })).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining('markdown: must be at most 2048') },
    });
  });

  test('another type than JSON and multipart, and too much of it', async () => {
    const said = { path: '/v1/messages', body: JSON.stringify(text) };
    expect(await api.say({ ...said, contentType: 'text/plain' })).toMatchObject({ status: 415 });
    expect(await api.say({ ...said, method: 'POST' })).toMatchObject({ status: 415 });
    const long = JSON.stringify({ ...text, text: 'x'.repeat(300_000) });
    expect(await api.say({ ...said, body: long, contentType: 'application/json' })).toMatchObject({
      status: 413,
    });
  });
});

describe('an app may not', () => {
  test.each<[string, unknown, string]>([
    ['send a kind that it was not given', { to: users, markdown: 'a' }, 'the kind markdown'],
    ['send a picture by its address', { to: users, imageUrl: 'https://example.com/' }, 'the kind image'],
    ['send another template', { to: users, template: { key: 'other' } }, 'the template "other"'],
    ['send to another user', { to: { users: ['zhangsan', 'lisi'] }, text: 'a' }, 'user:lisi'],
    ['send to everybody', { to: { users: ['@all'] }, text: 'a' }, 'user:@all'],
    ['send to departments', { to: { departments: [1] }, text: 'a' }, 'party:1'],
  ])('%s', async (_name, json, words) => {
    const answer = await hand(json, { app: 'narrow' });
    expect(answer).toMatchObject({ status: 403, body: { error: expect.stringContaining(words) } });
    expect(behind.made).toEqual([]);
  });

  test('see or touch messages of another', async () => {
    const { id } = (await hand(text)).body;
    expect(await api.say({ path: `/v1/messages/${id}`, app: 'other' })).toMatchObject({ status: 404 });
    expect((await api.say({ path: '/v1/messages', app: 'other' })).body).toEqual({ messages: [] });
    expect(await api.say({ path: `/v1/messages/${id}` })).toMatchObject({ status: 200 });
  });
});

describe('a picture or file that comes with its message', () => {
  async function multipart(
    message: unknown,
    name: string,
    file: File | string,
    extra?: string,
  ): Promise<ApiResponse> {
    const form = new FormData();
    form.set('message', typeof message === 'string' ? message : JSON.stringify(message));
    form.set(name, file);
    if (extra !== undefined) form.set(extra, 'a');
    const response = new Response(form);
    return api.say({
      path: '/v1/messages',
      method: 'POST',
      body: Buffer.from(await response.arrayBuffer()),
      contentType: response.headers.get('content-type') ?? '',
    });
  }
  const file = new File(['bytes of it'], '月报 "1".pdf');

  test('is kept by its content, under its name', async () => {
    expect(await multipart({ to: users }, 'file', file)).toMatchObject({ status: 202 });
    const sha256 = hashOf('bytes of it');
    expect(behind.made[0]?.content).toEqual({ file: { sha256, name: '月报 "1".pdf' } });
    expect(behind.kept.get(sha256)?.toString()).toBe('bytes of it');
  });

  test('can be sent again by its hash, and is kept until then', async () => {
    const sha256 = hashOf('bytes of it');
    const sendAt = api.clock.now + 86_400_000 * 30;
    const again = { to: users, file: { sha256, name: 'again.pdf' }, sendAt: sendAt / 1000 };
    expect(await hand(again)).toMatchObject({ status: 202 });
    expect(behind.made[0]?.content).toEqual({ file: { sha256, name: 'again.pdf' } });
    expect(behind.used).toEqual([{ kind: 'file', sendAt }]);
  });

  test('is refused with other parts than these', async () => {
    for (const refused of [
      await multipart({ to: users }, 'other', file),
      await multipart({ to: users }, 'image', 'no file'),
      await multipart({ to: users }, 'image', file, 'extra'),
      await multipart({ to: users, image: { sha256: hashOf('a') } }, 'image', file),
      await multipart({ to: users, text: 'also' }, 'image', file),
      await multipart('no json', 'image', file),
      await multipart('null', 'image', file),
    ]) {
      expect(refused).toMatchObject({ status: 400, body: { error: expect.any(String) } });
    }
    const body = { path: '/v1/messages', body: 'no parts' };
    for (const contentType of ['multipart/form-data', 'multipart/form-data; boundary=x']) {
      expect(await api.say({ ...body, contentType })).toMatchObject({ status: 400 });
    }
    expect(behind.made).toEqual([]);
  });

  test('is fetched when its address is given', async () => {
    expect(await hand({ to: users, imageUrl: 'https://example.com/a.png' })).toMatchObject({ status: 202 });
    const content = {
      image: { sha256: hashOf('the picture at https://example.com/a.png'), name: 'fetched.png' },
    };
    expect(behind.made[0]?.content).toEqual(content);
  });

  test('is at most 2 MB through a robot', async () => {
    const message = { to: { robots: ['ops-room'] } };
    const big = new File([Buffer.alloc(2 * 1024 * 1024 + 1)], 'a.png');
    expect(await multipart(message, 'image', big)).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining('robots send at most 2097152 bytes') },
    });
  });
});

describe('an idempotency key', () => {
  const keyed = (key: string, more: object = {}) => ({ ...text, idempotencyKey: key, opaque: 'o', ...more });

  test('gives the same answer for the same request, whatever the order of its fields', async () => {
    const first = await hand(keyed('k1'));
    const { to: whom, ...rest } = keyed('k1');
    const second = await hand({ ...rest, to: whom });
    expect(second).toMatchObject({ status: 202, body: first.body });
    const rows = await api.db
      .selectFrom('messages')
      .select('id')
      .where('idempotency_key', '=', 'k1')
      .execute();
    expect(rows).toHaveLength(1);
  });

  test('gives it to all who come at once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => hand(keyed('k2'))));
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.id}`)).size).toBe(1);
    const [{ id } = { id: '' }] = answers.map(({ body }) => body);
    const rows = await api.db.selectFrom('deliveries').select('id').where('message_id', '=', id).execute();
    expect(rows).toHaveLength(1);
  });

  test('refuses another request', async () => {
    await hand(keyed('k3'));
    for (const more of [
      { text: 'other' },
      { to: { users: ['lisi'] } },
      { priority: 'bulk' },
      { opaque: 'p' },
    ]) {
      expect(await hand(keyed('k3', more))).toMatchObject({
        status: 409,
        body: { error: expect.stringContaining('idempotencyKey') },
      });
    }
  });

  test('is the own of each app', async () => {
    const mine = await hand(keyed('k4'));
    const theirs = await hand(keyed('k4', { text: 'theirs' }), { app: 'other' });
    expect([mine.status, theirs.status]).toEqual([202, 202]);
    expect(theirs.body.id).not.toBe(mine.body.id);
  });

  test('gives the same answer when the template has gone since', async () => {
    behind.templates.set('brief', { text: 'hello' });
    const message = { to: users, template: { key: 'brief' }, idempotencyKey: 'k5' };
    const first = await hand(message);
    behind.templates.delete('brief');
    expect(await hand(message)).toMatchObject({ status: 202, body: first.body });
    expect(await hand({ ...message, idempotencyKey: 'k6' })).toMatchObject({ status: 400 });
  });
});

describe('the list of messages', () => {
  const list = async (query: string, app = 'lister'): Promise<ApiResponse> =>
    api.say({ path: `/v1/messages${query}`, app });
  const ids = ({ body }: ApiResponse): string[] => body.messages.map(({ id }: { id: string }) => id);
  const made: string[] = [];
  beforeAll(async () => {
    await api.newApp('lister', ['text', 'template', 'to:users', 'to:tags:7']);
    behind.templates.set('brief', { text: 'hello' });
    for (const json of [
      { to: users, text: '0', priority: 'alert' },
      { to: { tags: [7] }, text: '1' },
      { to: users, template: { key: 'brief' } },
      { to: users, text: '3' },
    ]) {
      made.push((await hand(json, { app: 'lister' })).body.id);
      if (made.length !== 2) api.clock.now += 60_000;
    }
    await api.db
      .updateTable('deliveries')
      .set({ state: 'dead' })
      .where('message_id', '=', made[3] ?? '')
      .execute();
  });
  const picked = (...indexes: number[]) => indexes.map((index) => made[index]);

  test('is filtered by state, receiver, lane, template and time', async () => {
    const dead = await list('?state=dead');
    expect(dead.body.messages).toMatchObject([{ id: made[3], state: 'dead', counts: { dead: 1 } }]);
    expect(ids(await list('?receiver=tag:7'))).toEqual(picked(1));
    expect(ids(await list('?receiver=user:ZhangSan&state=queued'))).toEqual(picked(2, 0));
    expect(ids(await list('?priority=alert'))).toEqual(picked(0));
    expect(ids(await list('?template=brief'))).toEqual(picked(2));
    const since = api.clock.now - 60_000;
    expect(ids(await list(`?since=${since / 1000}`))).toEqual(picked(3));
    expect(ids(await list(`?until=${encodeURIComponent(new Date(since).toISOString())}`))).toHaveLength(3);
    expect(ids(await list('?campaign=00000000-0000-4000-8000-000000000000'))).toEqual([]);
    // The column is ASCII; MySQL would refuse to compare.
    expect(await list(`?campaign=${encodeURIComponent('😀')}`)).toMatchObject({ status: 400 });
  });

  test('comes newest first, page by page, each message once', async () => {
    const seen: string[] = [];
    for (let after = '', pages = 0; pages < 5; pages += 1) {
      const page = await list(`?limit=1${after}`);
      seen.push(...ids(page));
      if (page.body.next === undefined) break;
      after = `&after=${page.body.next}`;
    }
    expect(seen.toSorted()).toEqual(made.toSorted());
    expect([seen[0], seen[3]]).toEqual(picked(3, 0));
  });

  test.each([
    '?state=lost',
    '?receiver=zhangsan',
    '?limit=101',
    '?limit=0',
    '?after=x',
    '?since=yesterday',
    '?x=1',
    '?priority=a&priority=b',
  ])('refuses %s', async (query) => {
    expect(await list(query)).toMatchObject({ status: 400, body: { error: expect.any(String) } });
  });
});
