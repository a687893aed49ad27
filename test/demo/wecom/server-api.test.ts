import { afterEach, describe, expect, test } from 'vitest';
import { startWeCom } from '../../../demo/wecom/start.ts';
import type { WeComOptions } from '../../../demo/wecom/wecom.ts';
import { app } from './small-bot.ts';

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const { stop } of running.splice(0)) await stop();
});

/** A WeCom with a clock that stands still until `wait`, and a client with a valid token. */
async function start(options: Partial<WeComOptions> = {}) {
  let now = 1_767_225_600_000;
  const wecom = await startWeCom({ ...app, clock: () => now, port: 0, ...options });
  running.push(wecom);
  const get = async (path: string, init?: RequestInit) => {
    const response = await fetch(`${wecom.url}/cgi-bin/${path}`, init);
    return (await response.json()) as Record<string, unknown> & { errcode: number };
  };
  const getToken = () => get(`gettoken?corpid=${app.corpId}&corpsecret=${app.secret}`);
  const token = (await getToken()).access_token as string;
  const post = (body: unknown) =>
    get(`message/send?access_token=${token}`, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const text = { touser: 'zhangsan', msgtype: 'text', agentid: app.agentId, text: { content: '好了' } };
  const textsOf = (user: string) => wecom.messages(user).map((message) => message.text);
  return {
    wecom,
    get,
    getToken,
    token,
    post,
    text,
    textsOf,
    wait: (seconds: number) => {
      now += seconds * 1000;
    },
  };
}

describe('gettoken', () => {
  test('answers the same token while it is valid, and a new one after 7200 s', async () => {
    const { getToken, get, token, wait } = await start();
    expect(await getToken()).toMatchObject({ errcode: 0, access_token: token, expires_in: 7200 });
    wait(7199);
    expect(await getToken()).toMatchObject({ access_token: token, expires_in: 1 });
    wait(1);
    expect((await get(`getcallbackip?access_token=${token}`)).errcode).toBe(42001);
    const renewed = (await getToken()).access_token;
    expect(renewed).not.toBe(token);
    expect((await get(`getcallbackip?access_token=${token}`)).errcode).toBe(42001);
    expect((await get(`getcallbackip?access_token=${renewed}`)).errcode).toBe(0);
  });

  test.each([
    ['no corpid', 'corpsecret=s', 41002],
    ['no secret', `corpid=${app.corpId}`, 41004],
    ['another corpid', `corpid=ww0&corpsecret=${app.secret}`, 40013],
    ['another secret', `corpid=${app.corpId}&corpsecret=s`, 40001],
  ])('with %s is refused', async (_, query, errcode) => {
    const { get } = await start();
    const answer = await get(`gettoken?${query}`);
    expect(answer).toMatchObject({ errcode });
    expect(answer).not.toHaveProperty('access_token');
  });

  test('too often in a minute is refused for a minute from then on', async () => {
    const { getToken, wait } = await start({ callsPerMinute: 3 });
    await getToken();
    await getToken();
    wait(50);
    expect((await getToken()).errcode).toBe(45009);
    wait(59);
    expect((await getToken()).errcode).toBe(45009);
    wait(1);
    expect((await getToken()).errcode).toBe(0);
  });
});

describe('any path', () => {
  const paths = ['kf/send_msg', 'message/update_taskcard', 'user/', 'no/such/thing', 'toString', ''];
  test.each(paths)('such as %j answers 200 and an errcode, whatever the method', async (path) => {
    const { wecom, token } = await start();
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH']) {
      const init = method === 'GET' ? {} : { method, body: '{}' };
      const response = await fetch(`${wecom.url}/cgi-bin/${path}?access_token=${token}`, init);
      expect([response.status, await response.json()]).toMatchObject([200, { errcode: 48002 }]);
    }
  });

  test('asks for the token first', async () => {
    const { get } = await start();
    expect((await get('kf/send_msg')).errcode).toBe(41001);
    expect((await get('kf/send_msg?access_token=made-up')).errcode).toBe(40014);
  });

  test('says with a refusal which address WeCom saw', async () => {
    const { get } = await start();
    const words = /^access_token missing, hint: \[\d+_41001\], from ip: 127\.0\.0\.1, more info at https:/;
    expect((await get('user/get')).errmsg).toMatch(words);
  });

  test('takes the first of a parameter that is given twice', async () => {
    const { get, token } = await start();
    const answer = await get(`user/get?access_token=${token}&userid=lisi&userid=wangwu`);
    expect(answer).toMatchObject({ errcode: 0, userid: 'lisi' });
  });
});

describe('a token', () => {
  test.each(['message/send', 'getcallbackip', 'user/get'])('is needed in the query of %s', async (api) => {
    const { get } = await start();
    const body = { method: 'POST', body: JSON.stringify({ access_token: 'in the body' }) };
    expect((await get(api, api === 'message/send' ? body : undefined)).errcode).toBe(41001);
    expect((await get(`${api}?access_token=made-up`)).errcode).toBe(40014);
  });

  test('that was revoked is invalid, and gettoken gives another', async () => {
    const { wecom, get, getToken, token } = await start();
    wecom.revokeToken();
    expect((await get(`getcallbackip?access_token=${token}`)).errcode).toBe(40014);
    expect((await getToken()).access_token).not.toBe(token);
    expect(wecom.answers('getcallbackip')).toEqual([40014]);
    expect(wecom.answers('gettoken')).toEqual([0, 0]);
  });

  test('from an address that is not trusted is refused with the address', async () => {
    const { get, token } = await start({ trustedEgress: ['10.0.0.1'] });
    const answer = await get(`getcallbackip?access_token=${token}`);
    expect(answer).toMatchObject({ errcode: 60020, errmsg: expect.stringContaining('127.0.0.1') });
  });
});

describe('message/send', () => {
  test('pushes a text to each receiver and names the ones it does not know, in lower case', async () => {
    const { post, text, textsOf } = await start();
    const answer = await post({ ...text, touser: 'ZhangSan|lisi|NoBody', toparty: '77' });
    expect(answer).toMatchObject({ errcode: 0, errmsg: 'ok', invaliduser: 'nobody', invalidparty: '77' });
    expect(answer.msgid).toMatch(/^[\w-]{20,}$/);
    expect([textsOf('zhangsan'), textsOf('lisi'), textsOf('wangwu')]).toEqual([['好了'], ['好了'], []]);
  });

  test('reaches a department and everyone', async () => {
    const { post, text, textsOf } = await start();
    await post({ ...text, touser: '', toparty: '2' });
    await post({ ...text, touser: '@all' });
    const counts = ['zhangsan', 'lisi', 'wangwu', 'mallory'].map((user) => textsOf(user).length);
    expect(counts).toEqual([2, 1, 2, 1]);
  });

  test.each([
    ['no agentid', { agentid: undefined }, 41011],
    ['agentid as a string', { agentid: `${app.agentId}` }, 40056],
    ['the agentid of another app', { agentid: 1 }, 301002],
    ['no msgtype', { msgtype: undefined }, 40008],
    ['an unknown msgtype', { msgtype: 'toString', toString: {} }, 40008],
    ['no object for its msgtype', { msgtype: 'markdown' }, 40058],
    ['an empty text', { text: { content: '' } }, 44004],
    ['a number as text', { text: { content: 1 } }, 40058],
    ['no receiver', { touser: '' }, 82001],
    ['only unknown receivers', { touser: 'a|b', totag: '9' }, 81013],
    ['more than 1000 users', { touser: Array(1001).fill('zhangsan').join('|') }, 40032],
    ['more than 100 departments', { toparty: Array(101).fill('2').join('|') }, 82002],
    ['more than 100 tags', { totag: Array(101).fill('2').join('|') }, 82003],
  ])('with %s is refused and pushes nothing', async (_, change, errcode) => {
    const { post, text, textsOf } = await start();
    expect((await post({ ...text, ...change })).errcode).toBe(errcode);
    expect(textsOf('zhangsan')).toEqual([]);
  });

  test.each(['{', '', '[]x', 'null', '"text"'])('with the body %j is refused', async (body) => {
    const { post } = await start();
    expect((await post(body)).errcode).toBe(40058);
  });

  test.each(['GET', 'PUT', 'DELETE'])('by %s is refused', async (method) => {
    const { get, token } = await start();
    expect((await get(`message/send?access_token=${token}`, { method })).errcode).toBe(40058);
  });

  test('takes null for the lists that it does not need', async () => {
    const { post, text, textsOf } = await start();
    expect((await post({ ...text, toparty: null, totag: null })).errcode).toBe(0);
    expect((await post({ ...text, touser: null, toparty: null })).errcode).toBe(82001);
    expect(textsOf('zhangsan')).toEqual(['好了']);
  });

  test('cuts a text at 2048 bytes and marks it', async () => {
    const { wecom, post, text } = await start();
    await post({ ...text, text: { content: `${'a'.repeat(2047)}汉` } });
    expect(wecom.messages('zhangsan')).toMatchObject([{ text: 'a'.repeat(2047), cut: true }]);
  });

  test('shows markdown and cards as text, and names the rest', async () => {
    const { post, text, textsOf } = await start();
    await post({ ...text, msgtype: 'markdown', markdown: { content: '**好**' } });
    const textcard = { title: '告警', description: 'web 2/3', url: 'https://example.com' };
    await post({ ...text, msgtype: 'textcard', textcard });
    const taskcard = { title: '发布', task_id: 'old-1', btn: [{ key: 'a', name: '同意' }] };
    await post({ ...text, msgtype: 'taskcard', taskcard });
    expect(textsOf('zhangsan')).toEqual(['**好**', '告警\nweb 2/3\nhttps://example.com', '[taskcard] 发布']);
  });

  test('drops the 31st message of a minute to one member with errcode 0', async () => {
    const { post, text, textsOf, wait } = await start();
    for (let count = 1; count <= 31; count += 1) expect((await post(text)).errcode).toBe(0);
    expect(textsOf('zhangsan')).toHaveLength(30);
    await post({ ...text, touser: 'lisi' });
    expect(textsOf('lisi')).toHaveLength(1);
    wait(60);
    await post(text);
    expect(textsOf('zhangsan')).toHaveLength(31);
  });

  test('drops a repeat within the interval only when that is asked for', async () => {
    const { post, text, textsOf, wait } = await start();
    const checked = { ...text, enable_duplicate_check: 1, duplicate_check_interval: 60 };
    const longer = { ...checked, duplicate_check_interval: 90 };
    for (const message of [text, text, checked, checked, longer])
      expect((await post(message)).errcode).toBe(0);
    expect(textsOf('zhangsan')).toHaveLength(3);
    wait(60);
    await post(checked);
    expect(textsOf('zhangsan')).toHaveLength(4);
  });
});

test('getcallbackip answers loopback, or what was set', async () => {
  const plain = await start();
  const ranges = ['101.226.103.*', '127.0.0.1'];
  const set = await start({ callbackAddresses: ranges });
  expect((await plain.get(`getcallbackip?access_token=${plain.token}`)).ip_list).toEqual(['127.0.0.1']);
  expect((await set.get(`getcallbackip?access_token=${set.token}`)).ip_list).toEqual(ranges);
});

test('user/get answers a member as an app of today sees one, in any case, and nobody else', async () => {
  const { get, token } = await start();
  expect(await get(`user/get?access_token=${token}&userid=WangWu`)).toEqual({
    errcode: 0,
    errmsg: 'ok',
    userid: 'wangwu',
    name: '王五',
    position: 'SRE 负责人',
    department: [1, 2],
    order: [0, 0],
    is_leader_in_dept: [0, 1],
    main_department: 1,
    direct_leader: [],
    alias: '',
    telephone: '',
    status: 1,
    extattr: { attrs: [] },
    external_position: '',
  });
  expect((await get(`user/get?access_token=${token}&userid=nobody`)).errcode).toBe(60111);
  expect((await get(`user/get?access_token=${token}`)).errcode).toBe(60111);
});

describe('a fault', () => {
  test('meets its API as often as it says, in the order set, and then things are as before', async () => {
    const { wecom, get, getToken, post, text, token } = await start();
    wecom.setFaults([
      { api: 'message/send', errcode: 45009, times: 2 },
      { api: 'gettoken', errcode: -1 },
      { api: 'message/send', errcode: 42001 },
    ]);
    const answers = [];
    for (let count = 0; count < 4; count += 1) answers.push((await post(text)).errcode);
    expect(answers).toEqual([45009, 45009, 42001, 0]);
    expect((await getToken()).errcode).toBe(-1);
    expect((await get(`getcallbackip?access_token=${token}`)).errcode).toBe(0);
    expect(wecom.messages('zhangsan')).toHaveLength(1);
  });

  test('can be an HTTP status, a delay, or no answer at all', async () => {
    const { wecom, get, token } = await start();
    const url = `${wecom.url}/cgi-bin/getcallbackip?access_token=${token}`;
    wecom.setFaults([
      { api: 'getcallbackip', status: 502 },
      { api: 'getcallbackip', delayMs: 30 },
      { api: 'getcallbackip', hang: true },
    ]);
    expect((await fetch(url)).status).toBe(502);
    const started = performance.now();
    expect((await get(`getcallbackip?access_token=${token}`)).errcode).toBe(0);
    expect(performance.now() - started).toBeGreaterThan(28);
    await expect(fetch(url, { signal: AbortSignal.timeout(50) })).rejects.toThrow('timeout');
  });

  test('that hangs does not keep the simulator from stopping', async () => {
    const { wecom, token } = await start();
    wecom.setFaults([{ api: 'user/get', hang: true }]);
    const hanging = fetch(`${wecom.url}/cgi-bin/user/get?access_token=${token}`).catch(() => 'cut');
    while (wecom.faults.list().length > 0) await new Promise(setImmediate);
    await wecom.stop();
    expect(await hanging).toBe('cut');
  });
});
