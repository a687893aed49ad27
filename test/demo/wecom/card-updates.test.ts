import { afterEach, describe, expect, test } from 'vitest';
import { startWithClient } from './client.ts';
import { app } from './small-bot.ts';

type Client = Awaited<ReturnType<typeof startWithClient>>;
let client: Client;
afterEach(() => client.wecom.stop());

const main_title = { title: '重启 web？' };
const button_list = [{ text: '批准', key: 'yes' }];
const asked = { card_type: 'button_interaction', main_title, task_id: 'task', button_list };
const action = { type: 1, url: 'https://a' };
const decided = { card_type: 'text_notice', main_title: { title: '张三 已批准' }, card_action: action };
const withMenu = { ...decided, task_id: 'menu', action_menu: { action_list: [{ text: '静音', key: 'a' }] } };
const DAY = 86_400;

/** Sends a card to these members, and answers what changes it. */
async function sent(card: object = asked, touser = 'zhangsan|lisi') {
  client = await startWithClient();
  const answer = await client.send({ touser, msgtype: 'template_card', template_card: card });
  const response_code = answer.response_code as string;
  return (body: object, token?: string) => {
    const all = { agentid: app.agentId, response_code, ...body };
    if (token === undefined) return client.post('message/update_template_card', all);
    return client.ask(`message/update_template_card?access_token=${token}`, JSON.stringify(all));
  };
}
const shown = (user: string) => client.wecom.messages(user).map(({ text }) => text);

describe('message/update_template_card', () => {
  test('shows another card in the place of one, to all who have it, once', async () => {
    const update = await sent();
    const before = client.wecom.messages('lisi')[0];
    expect(await update({ atall: 1, template_card: decided })).toMatchObject({ errcode: 0, invaliduser: [] });
    expect([shown('zhangsan'), shown('lisi'), shown('wangwu')]).toEqual([
      ['张三 已批准'],
      ['张三 已批准'],
      [],
    ]);
    expect(client.wecom.messages('lisi')[0]).toMatchObject({ id: before?.id, msgid: before?.msgid });
    expect((await update({ atall: 1, template_card: decided })).errcode).toBe(60140);
  });

  test('changes it for those who are named, and names whom it does not know', async () => {
    const update = await sent();
    const body = { userids: ['ZhangSan', 'nobody', 'wangwu'], button: { replace_name: '已批准' } };
    expect(await update(body)).toMatchObject({ errcode: 0, invaliduser: ['nobody'] });
    const buttons = (user: string) => client.wecom.messages(user).map(({ view }) => view);
    expect(buttons('zhangsan')).toMatchObject([{ title: '重启 web？', buttons: ['已批准'] }]);
    expect(buttons('lisi')).toMatchObject([{ buttons: ['批准'] }]);
    expect(buttons('wangwu')).toEqual([]);
  });

  test('a card that still has buttons shows them as one grey text', async () => {
    const update = await sent();
    const template_card = { ...asked, main_title: { title: '已过期' }, replace_text: '过期了' };
    expect((await update({ atall: 1, template_card })).errcode).toBe(0);
    expect(client.wecom.messages('lisi')[0]?.view).toMatchObject({ title: '已过期', buttons: ['过期了'] });
  });

  test.each([
    [3 * DAY - 1, 0],
    [3 * DAY, 60140],
  ])('after %i s is answered %i: a code is good for 72 hours', async (seconds, errcode) => {
    const update = await sent();
    client.wait(seconds);
    const { access_token } = await client.ask(`gettoken?corpid=${app.corpId}&corpsecret=${app.secret}`);
    const body = { atall: 1, template_card: decided };
    expect((await update(body, `${access_token}`)).errcode).toBe(errcode);
  });

  test.each<[string, object, number]>([
    ['a code that is none', { response_code: 'made-up' }, 60140],
    ['no code', { response_code: null }, 60140],
    ['another app', { agentid: 1 }, 301002],
    ['no app', { agentid: undefined }, 41011],
    ['nobody', { atall: 0 }, 82001],
    ['too many', { atall: 0, userids: Array.from({ length: 1001 }, (_, i) => `u${i}`) }, 40032],
    ['neither a button nor a card', { template_card: undefined }, 40058],
    ['both', { button: { replace_name: 'a' } }, 40058],
    ['a card that is none', { template_card: { ...decided, card_action: undefined } }, 42045],
  ])('is refused with %s, and the code stays good', async (_, body, errcode) => {
    const update = await sent();
    const good = { atall: 1, template_card: decided };
    expect((await update({ ...good, ...body })).errcode).toBe(errcode);
    expect((await update(good)).errcode).toBe(0);
  });

  test('a notice with a menu can become another card, and has no buttons to grey', async () => {
    const update = await sent(withMenu);
    expect((await update({ atall: 1, button: { replace_name: 'a' } })).errcode).toBe(40058);
    expect((await update({ atall: 1, template_card: decided })).errcode).toBe(0);
  });
});
