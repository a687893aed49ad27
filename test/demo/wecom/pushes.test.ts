import { createHash } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import type { WeComOptions } from '../../../demo/wecom/wecom.ts';
import { PNG, startWithClient } from './client.ts';

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const { stop } of running.splice(0)) await stop();
});

async function start(options: Partial<WeComOptions> = {}) {
  const client = await startWithClient(options);
  running.push(client.wecom);
  return client;
}

const card = {
  card_type: 'text_notice',
  main_title: { title: '发布' },
  card_action: { type: 1, url: 'https://a' },
};
const article = { title: '周报', url: 'https://a' };

describe('receivers', () => {
  test('are members of tags too, each once', async () => {
    const { wecom, text } = await start({ tags: { '7': ['lisi', 'wangwu'] } });
    const answer = await text('lisi', '好', { totag: '7|8', toparty: '3' });
    expect(answer).toMatchObject({ errcode: 0, invalidtag: '8', invaliduser: '' });
    expect([wecom.arrived('lisi').length, wecom.arrived('wangwu').length]).toEqual([1, 1]);
  });

  test('without a licence are named and get nothing', async () => {
    const { wecom, text } = await start({ unlicensed: ['lisi'] });
    expect(await text('LiSi|zhangsan')).toMatchObject({
      errcode: 0,
      unlicenseduser: 'lisi',
      invaliduser: '',
    });
    expect([wecom.arrivals.count('lisi'), wecom.arrivals.count('zhangsan')]).toEqual([0, 1]);
  });

  test('can be anyone when a load test asks for it; what is no userid stays unknown', async () => {
    const { wecom, text } = await start({ members: 'anyone' });
    expect(await text('User-000001|zhangsan|-x|张三')).toMatchObject({ errcode: 0, invaliduser: '-x|张三' });
    expect(wecom.arrivals.count('user-000001')).toBe(1);
    expect(wecom.messages('zhangsan')).toHaveLength(1);
    expect(wecom.messages('user-000001')).toEqual([]);
  });
});

describe('the record of what arrived', () => {
  test('has each message in order, with its time, and why one was dropped', async () => {
    const { wecom, text, wait } = await start();
    const once = { enable_duplicate_check: 1, duplicate_check_interval: 60 };
    await text('lisi', '一', once);
    wait(1);
    await text('lisi', '一', once);
    for (let count = 0; count < 30; count += 1) await text('lisi', `${count}`);
    const arrived = wecom.arrived('lisi');
    expect(arrived).toHaveLength(32);
    expect(arrived[0]).toMatchObject({ text: '一', msgtype: 'text', time: 1_767_225_600_000 });
    expect(arrived[1]).toMatchObject({ text: '一', dropped: 'repeat', time: 1_767_225_601_000 });
    expect(arrived.at(-1)).toMatchObject({ text: '29', dropped: 'limit' });
    const totals = { shown: 30, overLimit: 1, repeats: 1, receivers: 1, mostForOne: 30 };
    expect(wecom.arrivals.totals()).toEqual(totals);
  });

  test('tells the most that one receiver was sent in any so many seconds', async () => {
    const { wecom, text, wait } = await start();
    for (const pause of [0, 30, 29, 1, 60]) {
      wait(pause);
      await text('lisi');
    }
    // At 0, 30, 59, 60 and 120 s: 60 s after the first, that one counts no more.
    expect([60, 61, 31, 1].map((seconds) => wecom.maxInWindow('lisi', seconds))).toEqual([3, 4, 3, 1]);
    expect(wecom.maxInWindow('wangwu', 60)).toBe(0);
  });

  test('forgets the oldest and still counts them', async () => {
    const { wecom, text } = await start({ recordLimit: 3 });
    for (const content of ['一', '二', '三', '四', '五']) await text('lisi', content);
    expect(wecom.arrived('lisi').map((one) => one.text)).toEqual(['三', '四', '五']);
    expect(wecom.arrivals.count('lisi')).toBe(5);
    wecom.arrivals.clear();
    expect([wecom.arrived('lisi'), wecom.arrivals.count('lisi')]).toEqual([[], 0]);
  });

  test('has no limit for members that drops anything when it is switched off', async () => {
    const { wecom, text } = await start({ memberLimits: [] });
    for (let count = 0; count < 40; count += 1) await text('lisi');
    expect(wecom.arrivals.count('lisi')).toBe(40);
  });

  test('more than 1000 messages an hour to one member are dropped, however they are spread', async () => {
    const { wecom, text, wait } = await start();
    for (let minute = 0; minute < 34; minute += 1) {
      for (let count = 0; count < 30; count += 1) await text('lisi');
      wait(60);
    }
    expect(wecom.arrivals.count('lisi')).toBe(1000);
    wait(3600);
    await text('lisi');
    expect(wecom.arrivals.count('lisi')).toBe(1001);
  });
});

describe('the content of a message', () => {
  test.each([
    ['a textcard without a title', 'textcard', { description: 'x', url: 'https://a' }, 41016],
    ['a textcard without a description', 'textcard', { title: '告警', url: 'https://a' }, 41033],
    ['a textcard without a url', 'textcard', { title: '告警', description: 'x' }, 41010],
    ['an empty markdown', 'markdown', { content: '' }, 44004],
    ['news without articles', 'news', { articles: [] }, 45008],
    ['news whose articles are null', 'news', { articles: null }, 45008],
    ['news with nine articles', 'news', { articles: Array(9).fill(article) }, 45008],
    ['an article without a url', 'news', { articles: [{ title: '周报' }] }, 41010],
    ['an article without a title', 'news', { articles: [{ url: 'https://a' }] }, 41016],
    ['an article that is none', 'news', { articles: ['x'] }, 40058],
    ['an image that was not uploaded', 'image', { media_id: 'made-up' }, 40007],
    ['a file without a media_id', 'file', {}, 40007],
    ['a voice without a media_id', 'voice', {}, 40007],
    ['a video without a media_id', 'video', {}, 40007],
    ['a video that was not uploaded', 'video', { media_id: 'made-up', title: '值班' }, 40007],
    ['an mpnews without its picture', 'mpnews', { articles: [{ title: '周报', content: 'x' }] }, 40007],
    ['a mini program without an appid', 'miniprogram_notice', { title: '周报' }, 90207],
    ['an old task card without a task_id', 'taskcard', { title: '发布' }, 42014],
    ['an old task card without buttons', 'taskcard', { title: '发布', task_id: 'old-1' }, 40058],
    [
      'an old task card with a nameless button',
      'taskcard',
      { title: '发布', task_id: 'old-2', btn: [{ key: 'a' }] },
      42020,
    ],
    ['of a type that only robots have', 'markdown_v2', { content: 'x' }, 40008],
    ['of next year', 'hologram', { content: 'x' }, 40008],
    ['null', 'text', null, 40058],
  ])('is refused when it is %s', async (_, msgtype, body, errcode) => {
    const { show, wecom } = await start();
    expect((await show(msgtype, body)).errcode).toBe(errcode);
    expect(wecom.arrivals.totals().shown).toBe(0);
  });

  test('is kept as a phone shows it', async () => {
    const { show, wecom } = await start();
    await show('textcard', {
      title: '告警',
      description: '<div class="gray">10:00</div>web 2/3<br>慢<div class="highlight">请处理</div>',
      url: 'https://a',
    });
    await show('news', { articles: [article] });
    await show('template_card', {
      ...card,
      source: { desc: 'CI' },
      horizontal_content_list: [{ keyname: '版本', value: '1.2' }],
      jump_list: [{ type: 1, title: '日志', url: 'https://b' }],
    });
    const [textcard, news, notice] = wecom.messages('zhangsan').map(({ view }) => view);
    const lines = [
      { text: '10:00', tone: 'gray' },
      { text: 'web 2/3' },
      { text: '慢' },
      { text: '请处理', tone: 'highlight' },
    ];
    expect(textcard).toMatchObject({ kind: 'card', lines, links: [{ title: '详情', url: 'https://a' }] });
    expect(news).toEqual({ kind: 'news', articles: [{ ...article, description: '' }] });
    expect(notice).toMatchObject({ source: 'CI', title: '发布', rows: [['版本', '1.2']] });
    expect(notice).toMatchObject({ links: [{ title: '日志', url: 'https://b' }, { url: 'https://a' }] });
  });
});

describe('media/upload', () => {
  test('keeps the file for three days under its media_id', async () => {
    const { upload, show, wecom, wait } = await start();
    const answer = await upload('image', '图.png', PNG);
    expect(answer).toMatchObject({ errcode: 0, type: 'image', created_at: '1767225600' });
    const image = { media_id: answer.media_id };
    expect((await show('file', image)).errcode).toBe(40007);
    wait(3 * 24 * 3600 - 1);
    // The token has ended by now, which is what refuses the call first.
    expect(wecom.uploads.find(image.media_id, 'image', null).name).toBe('图.png');
    wait(1);
    expect(() => wecom.uploads.find(image.media_id, 'image', null)).toThrow('invalid media_id');
  });

  test.each([
    ['of an unknown type', 'toString', PNG, 40005],
    ['of five bytes', 'file', PNG.slice(0, 5), 40006],
    ['of a picture that is none', 'image', new Uint8Array(100), 40004],
    ['of a voice that is none', 'voice', new Uint8Array(100), 40004],
    ['of a video that is none', 'video', new Uint8Array(100), 40004],
    ['of a picture over 10 MB', 'image', Buffer.concat([PNG, Buffer.alloc(10 * 1024 * 1024)]), 45001],
  ])('%s is refused', async (_, type, bytes, errcode) => {
    const { upload } = await start();
    expect((await upload(type, 'x', Uint8Array.from(bytes))).errcode).toBe(errcode);
  });

  test.each([
    ['voice', Buffer.from('#!AMR\n\x04')],
    ['video', Buffer.from('\0\0\0\x18ftypmp42')],
    ['file', Buffer.from('a file')],
    ['image', PNG],
  ] as const)(
    'of a %s gives a media_id that a message of this type may use, and no other',
    async (type, bytes) => {
      const { upload, show, wecom } = await start();
      const { media_id } = await upload(type, 'x', Uint8Array.from(bytes));
      const others = ['voice', 'video', 'file', 'image'].filter((each) => each !== type);
      for (const other of others) expect((await show(other, { media_id })).errcode).toBe(40007);
      expect((await show(type, { media_id })).errcode).toBe(0);
      expect(wecom.messages('zhangsan')[0]?.text).toContain(`[${type}]`);
    },
  );

  test('of more than a call may be is answered like one of too large a file', async () => {
    const { uploadRaw } = await start();
    expect((await uploadRaw('file', new Blob([new Uint8Array(22 * 1024 * 1024)]))).errcode).toBe(45001);
  });

  test('without a readable part named media is refused, as one with a name in the form of RFC 5987 is', async () => {
    const { uploadRaw } = await start();
    expect((await uploadRaw('file', '{}')).errcode).toBe(44001);
    const other = new FormData();
    other.set('file', new Blob([PNG]), 'x');
    expect((await uploadRaw('file', other)).errcode).toBe(44001);
    const part = `--b\r\nContent-Disposition: form-data; name="media"; filename*=utf-8''x\r\n\r\n123456\r\n--b--\r\n`;
    const body = new Blob([part], { type: 'multipart/form-data; boundary=b' });
    expect((await uploadRaw('file', body)).errcode).toBe(44001);
  });
});

describe('message/recall', () => {
  test('takes a message off every phone, and those who listen hear of it', async () => {
    const { text, post, wecom } = await start();
    const recalled: string[] = [];
    wecom.history.subscribe(
      () => {},
      (msgid) => recalled.push(msgid),
    );
    const { msgid } = await text('zhangsan|lisi', '错了');
    await text('lisi', '对的');
    expect((await post('message/recall', { msgid })).errcode).toBe(0);
    expect([wecom.messages('zhangsan').length, wecom.messages('lisi').map((one) => one.text)]).toEqual([
      0,
      ['对的'],
    ]);
    expect(recalled).toEqual([msgid]);
  });

  test.each([undefined, 'made-up', 7])('refuses the msgid %j', async (msgid) => {
    const { post } = await start();
    expect((await post('message/recall', { msgid })).errcode).toBe(40058);
  });
});

describe('appchat/send', () => {
  test.each([
    ['a chat of the app', 'ops1', 0],
    ['no chat', undefined, 86003],
    ['what is no chatid', 'a-b', 86001],
    ['a chat of somebody else', 'other', 86008],
  ])('to %s', async (_, chatid, errcode) => {
    const { post, wecom } = await start({ chats: [{ chatid: 'ops1', name: '运维' }] });
    const answer = await post('appchat/send', { chatid, msgtype: 'text', text: { content: '好' } });
    expect(answer.errcode).toBe(errcode);
    expect(answer).not.toHaveProperty('msgid');
    expect(wecom.messages('chat:ops1')).toHaveLength(errcode === 0 ? 1 : 0);
  });
});

describe('limits that are those of WeCom', () => {
  const hello = { msgtype: 'text', text: { content: '好' } };

  test('a member of chats gets 200 messages a minute of the app, and the rest is dropped silently', async () => {
    const chats = [
      { chatid: 'a', name: 'A', members: ['lisi', 'wangwu'] },
      { chatid: 'b', name: 'B', members: ['LiSi'] },
    ];
    const { post, wecom, wait } = await start({ chats });
    const to = async (chatid: string) => (await post('appchat/send', { chatid, ...hello })).errcode;
    for (let count = 0; count < 200; count += 1) expect(await to('b')).toBe(0);
    expect([await to('b'), await to('a')]).toEqual([0, 0]);
    // The other member of A still gets it.
    expect(['chat:b', 'chat:a'].map(wecom.arrivals.count)).toEqual([200, 1]);
    wait(60);
    await to('b');
    expect(wecom.arrivals.count('chat:b')).toBe(201);
  });

  test('a day has 200 receivers for each account of the enterprise, and then nothing is sent until it ends', async () => {
    const { send, text, wecom, wait } = await start({ accounts: 1, memberLimits: [] });
    for (let count = 0; count < 99; count += 1) await text('lisi|wangwu', `${count}`);
    expect((await text('lisi', '199')).errcode).toBe(0);
    expect((await text('lisi|wangwu', 'two')).errcode).toBe(45009);
    expect((await text('lisi', 'one')).errcode).toBe(45009);
    expect((await send({ touser: 'nobody', ...hello })).errcode).toBe(81013);
    expect(wecom.arrivals.totals().shown).toBe(199);
    // It is 08:00 in China: the day has 16 hours left, and the token two.
    expect(wecom.arrived('lisi').at(-1)?.text).toBe('199');
    wait(3600);
    expect((await text('lisi', 'later')).errcode).toBe(45009);
  });
});

describe('webhook/send', () => {
  const robots = { alerts: 'key-1', ci: 'key-2' };
  const hello = { msgtype: 'text', text: { content: '好' } };

  test('by the key of a robot is shown in its group; another key is refused', async () => {
    const { robot, wecom } = await start({ robots });
    expect((await robot('key-2', hello)).errcode).toBe(0);
    for (const key of ['key-3', '', 'key-22']) expect((await robot(key, hello)).errcode).toBe(93000);
    expect([wecom.messages('robot:ci').length, wecom.messages('robot:alerts').length]).toEqual([1, 0]);
  });

  test('more than 20 times a minute is refused aloud, for each robot', async () => {
    const { robot, wecom, wait } = await start({ robots });
    for (let count = 0; count < 20; count += 1) expect((await robot('key-1', hello)).errcode).toBe(0);
    wait(50);
    expect((await robot('key-1', hello)).errcode).toBe(45009);
    expect((await robot('key-2', hello)).errcode).toBe(0);
    // The block is as long as the window of the limit, from when it was passed.
    wait(59);
    expect((await robot('key-1', hello)).errcode).toBe(45009);
    wait(1);
    expect((await robot('key-1', hello)).errcode).toBe(0);
    expect(wecom.arrivals.count('robot:alerts')).toBe(21);
  });

  test('takes longer markdown, pictures within the call, and cards that only tell', async () => {
    const { robot, wecom } = await start({ robots });
    const markdown = (length: number) =>
      robot('key-1', { msgtype: 'markdown', markdown: { content: 'a'.repeat(length) } });
    expect([(await markdown(4096)).errcode, (await markdown(4097)).errcode]).toEqual([0, 40058]);
    expect(wecom.messages('robot:alerts').map(({ text }) => text)).toEqual(['a'.repeat(4096)]);
    const md5 = createHash('md5').update(PNG).digest('hex');
    const image = { base64: Buffer.from(PNG).toString('base64'), md5 };
    expect((await robot('key-1', { msgtype: 'image', image })).errcode).toBe(0);
    expect((await robot('key-1', { msgtype: 'image', image: { ...image, md5: 'x' } })).errcode).toBe(40058);
    expect((await robot('key-1', { msgtype: 'template_card', template_card: card })).errcode).toBe(0);
    const vote = { ...card, card_type: 'vote_interaction' };
    expect((await robot('key-1', { msgtype: 'template_card', template_card: vote })).errcode).toBe(42031);
    expect((await robot('key-1', { msgtype: 'textcard', textcard: {} })).errcode).toBe(40008);
  });
});

describe('webhook/upload_media', () => {
  test('takes files and voices, and what it gives is for this robot only', async () => {
    const { robot, uploadFor, show } = await start({ robots: { alerts: 'key-1', ci: 'key-2' } });
    const bytes = { voice: Buffer.from('#!AMR\n\x04'), file: Buffer.from('a file') };
    for (const type of ['voice', 'file'] as const) {
      const answer = await uploadFor('key-1', type, Uint8Array.from(bytes[type]));
      expect(answer).toMatchObject({ errcode: 0, type, media_id: expect.any(String) });
      const message = { msgtype: type, [type]: { media_id: answer.media_id } };
      expect((await robot('key-1', message)).errcode).toBe(0);
      expect((await robot('key-2', message)).errcode).toBe(40007);
      expect((await show(type, message[type])).errcode).toBe(40007);
    }
  });

  test.each([
    ['image', PNG, 'key-1', 40005],
    ['video', PNG, 'key-1', 40005],
    ['voice', PNG, 'key-1', 40004],
    ['file', PNG, 'key-3', 93000],
  ] as const)('of a %s is refused: %#', async (type, bytes, key, errcode) => {
    const { uploadFor } = await start({ robots: { alerts: 'key-1' } });
    expect((await uploadFor(key, type, bytes)).errcode).toBe(errcode);
  });
});

describe('a fault', () => {
  test('of one receiver leaves the others alone, and one for always stays', async () => {
    const { wecom, text, robot, post } = await start({ robots: { alerts: 'key-1', ci: 'key-2' } });
    wecom.setFaults([
      { api: 'message/send', receiver: 'lisi', errcode: -1, times: 'always' },
      { api: 'webhook/send', receiver: 'ci', errcode: 93004, times: 'always' },
      { api: 'appchat/send', receiver: 'oncall', errcode: 49008 },
    ]);
    for (let count = 0; count < 3; count += 1) {
      expect((await text('zhangsan|LiSi')).errcode).toBe(-1);
      expect((await text('zhangsan')).errcode).toBe(0);
    }
    const hello = { msgtype: 'text', text: { content: '好' } };
    const answers = [await robot('key-1', hello), await robot('key-2', hello), await robot('wrong', hello)];
    expect(answers.map(({ errcode }) => errcode)).toEqual([0, 93004, 93000]);
    const toChat = () => post('appchat/send', { chatid: 'oncall', ...hello });
    expect([(await toChat()).errcode, (await toChat()).errcode]).toEqual([49008, 0]);
    expect(wecom.faults.list()).toHaveLength(2);
  });

  test('can spoil the answer to what was carried out all the same', async () => {
    const { wecom, text } = await start();
    for (const how of [{ cut: true }, { status: 502 }, { errcode: -1, errmsg: 'busy' }]) {
      wecom.setFaults([{ api: 'message/send', ...how, tookEffect: true }]);
      await text('lisi').catch(() => {});
    }
    expect(wecom.arrivals.count('lisi')).toBe(3);
    for (const how of [{ cut: true }, { status: 502 }, { errcode: -1 }]) {
      wecom.setFaults([{ api: 'message/send', ...how }]);
      await text('lisi').catch(() => {});
    }
    expect(wecom.arrivals.count('lisi')).toBe(3);
    expect(wecom.answers('message/send')).toEqual([-1, -1, -1, -1, -1, -1]);
  });
});
