import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { Outgoing } from '../../../src/wecom/api/outgoing.ts';
import { errorOf, hello, messengerTo, PNG, ROBOT_KEY, startSimulator } from './messenger-harness.ts';
import { startScriptedWeCom } from './scripted-wecom.ts';

const clock = { ms: 1_767_225_600_000 };
const weCom = await startSimulator({ clock: () => clock.ms, unlicensed: ['mallory'] });
const scripted = await startScriptedWeCom();
afterAll(async () => {
  await weCom.stop();
  await scripted.stop();
});
beforeEach(() => {
  weCom.setFaults([]);
  weCom.arrivals.clear();
  scripted.reset();
  clock.ms += 3_600_000;
});

const { messenger, calls } = messengerTo(weCom.url, { now: () => clock.ms });
const arrivedTo = (receiver: string) => weCom.arrived(receiver).map(({ text }) => text);

describe('a message to members', () => {
  test('goes to users, departments and tags in one call, and the receipt names whom it did not reach', async () => {
    const before = weCom.answers('message/send').length;
    const users = ['lisi', 'NoBody', 'Mallory'];
    const receipt = await messenger.send(hello, { users, parties: ['2', '77'], tags: ['1', '9'] });
    expect(receipt).toEqual({
      msgid: expect.stringMatching(/^[\w-]{20,}$/),
      invalid: { users: ['nobody'], parties: ['77'], tags: ['9'] },
      unlicensed: ['mallory'],
    });
    expect(weCom.answers('message/send').length - before).toBe(1);
    for (const user of ['lisi', 'zhangsan', 'wangwu']) expect(arrivedTo(user)).toEqual(['好了']);
    expect(arrivedTo('mallory')).toEqual([]);
  });

  test('that reaches everybody has empty lists in its receipt', async () => {
    const receipt = await messenger.send(hello, { users: ['lisi'] });
    expect(receipt.invalid).toEqual({ users: [], parties: [], tags: [] });
    expect(receipt.unlicensed).toEqual([]);
  });

  test('has userids in lower case in its receipt, whatever WeCom writes', async () => {
    scripted.script('message/send', { errcode: 0, msgid: 'm', invaliduser: 'A|b', unlicenseduser: 'C' });
    const receipt = await messengerTo(scripted.url).messenger.send(hello, { users: ['a', 'b', 'c', 'd'] });
    expect([receipt.invalid.users, receipt.unlicensed]).toEqual([['a', 'b'], ['c']]);
  });

  test('leaves out the fields of receivers that there are none of', async () => {
    await messengerTo(scripted.url).messenger.send(hello, { users: ['a', 'b'], tags: [] });
    expect(scripted.seen.at(-1)?.body).toEqual({
      touser: 'a|b',
      msgtype: 'text',
      agentid: 1000002,
      text: { content: '好了' },
    });
  });

  test('arrives once when WeCom is asked to drop what equals it', async () => {
    const once = { onceWithinSeconds: 60 };
    await messenger.send(hello, { users: ['lisi'] }, once);
    await messenger.send(hello, { users: ['lisi'] }, once);
    expect(weCom.arrivals.count('lisi')).toBe(1);
    await messenger.send(hello, { users: ['lisi'] });
    expect(weCom.arrivals.count('lisi')).toBe(2);
  });

  test.each([
    [99_999, 14_400],
    [0.2, 1],
  ])('asks for a check over %d seconds as over %d, which WeCom takes', async (asked, sent) => {
    await messengerTo(scripted.url).messenger.send(hello, { users: ['a'] }, { onceWithinSeconds: asked });
    const check = { enable_duplicate_check: 1, duplicate_check_interval: sent };
    expect(scripted.seen.at(-1)?.body).toMatchObject(check);
  });

  test('can be taken back for a day, and is off the phone then', async () => {
    const { msgid } = await messenger.send(hello, { users: ['wangwu'] });
    const shown = weCom.messages('wangwu').length;
    await messenger.recall(msgid);
    expect(weCom.messages('wangwu')).toHaveLength(shown - 1);
    const second = await messenger.send(hello, { users: ['wangwu'] });
    clock.ms += 24 * 3_600_000;
    expect(await errorOf(messenger.recall(second.msgid))).toMatchObject({ errcode: 40058 });
    expect(await errorOf(messenger.recall('made-up'))).toMatchObject({
      api: 'message/recall',
      errcode: 40058,
    });
  });

  test('whose JSON WeCom half understood was sent, and is reported with the warning', async () => {
    const warning = 'Warning: wrong json format. hint: [1]';
    scripted.script('message/send', { errcode: 0, errmsg: warning, msgid: 'm' });
    const { messenger: warned, calls: reported } = messengerTo(scripted.url);
    expect((await warned.send(hello, { users: ['a'] })).msgid).toBe('m');
    expect(reported.at(-1)).toMatchObject({ api: 'message/send', errcode: 0, warning });
  });
});

describe('uploads', () => {
  test('keep the name as it is, and live three days less a margin', async () => {
    const { mediaId, expiresAt } = await messenger.upload('file', '报告 (1).csv', Buffer.from('a,b,c,d'));
    const upload = weCom.uploads.get(mediaId);
    expect(upload).toMatchObject({ type: 'file', name: '报告 (1).csv', owner: null });
    expect(upload?.bytes.toString()).toBe('a,b,c,d');
    const days = (expiresAt - clock.ms) / 86_400_000;
    expect(days).toBeLessThan(3);
    expect(days).toBeGreaterThan(2.9);
    await messenger.send({ msgtype: 'file', body: { media_id: mediaId } }, { users: ['lisi'] });
    expect(arrivedTo('lisi')).toEqual(['[file] 报告 (1).csv']);
  });

  test('replace what the form could only write in percent signs', async () => {
    const { mediaId } = await messenger.upload('file', 'a"b\r\nc%.txt', Buffer.from('123456'));
    expect(weCom.uploads.get(mediaId)?.name).toBe('a_b__c%.txt');
  });

  test('of a picture can be sent by the app only, of a robot by that robot only', async () => {
    const picture = await messenger.upload('image', '图.png', PNG);
    await messenger.send({ msgtype: 'image', body: { media_id: picture.mediaId } }, { users: ['lisi'] });
    const file = await messenger.uploadForRobot(ROBOT_KEY, 'log.txt', Buffer.from('123456'));
    await messenger.sendToRobot(ROBOT_KEY, { msgtype: 'file', body: { media_id: file.mediaId } });
    expect([arrivedTo('lisi'), arrivedTo('robot:alerts')]).toEqual([['[image]'], ['[file] log.txt']]);
    const wrong = messenger.send({ msgtype: 'file', body: { media_id: file.mediaId } }, { users: ['lisi'] });
    expect(await errorOf(wrong)).toMatchObject({ errcode: 40007, kind: 'permanent' });
  });

  test('that WeCom forgot after three days are refused as such', async () => {
    const { mediaId, expiresAt } = await messenger.upload('image', 'x.png', PNG);
    const message: Outgoing = { msgtype: 'image', body: { media_id: mediaId } };
    clock.ms = expiresAt;
    await messenger.send(message, { users: ['lisi'] });
    clock.ms += 3_600_000;
    expect(await errorOf(messenger.send(message, { users: ['lisi'] }))).toMatchObject({ errcode: 40007 });
  });
});

describe('a message to a group', () => {
  test('goes to a chat of the app, or by a robot, and not into the members’ phones', async () => {
    await messenger.sendToChat('oncall', hello);
    await messenger.sendToRobot(ROBOT_KEY, { msgtype: 'markdown', body: { content: '**好**' } });
    expect(arrivedTo('chat:oncall')).toEqual(['好了']);
    expect(arrivedTo('robot:alerts')).toEqual(['**好**']);
    expect(weCom.arrivals.totals().shown).toBe(2);
  });

  test.each([
    ['an unknown chat', () => messenger.sendToChat('nochat', hello), 86008],
    ['no chat', () => messenger.sendToChat('', hello), 86003],
    ['a robot with another key', () => messenger.sendToRobot('other-key', hello), 93000],
  ])('to %s fails for good, with advice', async (_, send, errcode) => {
    const error = await errorOf(send());
    expect(error).toMatchObject({ errcode, kind: 'permanent' });
    expect(error.advice).not.toContain('not in our table');
  });

  test('by a robot needs no access token, and none is fetched for it', async () => {
    const { messenger: fresh, calls: reported } = messengerTo(weCom.url);
    await fresh.sendToRobot(ROBOT_KEY, hello);
    expect(reported.map(({ api }) => api)).toEqual(['webhook/send']);
  });
});

test('every call is reported with its api and errcode, and with nothing that is secret', async () => {
  await messenger.send(hello, { users: ['lisi'] });
  calls.length = 0;
  await messenger.send(hello, { users: ['lisi'] });
  await errorOf(messenger.sendToChat('nochat', hello));
  await messenger.sendToRobot(ROBOT_KEY, hello);
  expect(calls.map(({ api, errcode }) => [api, errcode])).toEqual([
    ['message/send', 0],
    ['appchat/send', 86008],
    ['webhook/send', 0],
  ]);
  expect(JSON.stringify(calls)).not.toContain(ROBOT_KEY);
});
