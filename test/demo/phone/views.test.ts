import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PNG, startWithClient } from '../wecom/client.ts';
import { app } from '../wecom/small-bot.ts';
import { hasBrowser, openPage } from './browser.ts';

const name = `pushed messages on the phone page${hasBrowser ? '' : ' (skipped: no /usr/bin/chromium here)'}`;

/** A picture that a browser can show: one red pixel. */
const PIXEL = Uint8Array.from(
  Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==',
    'base64',
  ),
);
const EVIL = '<img src=x onerror="window.isHacked=1"><script>window.isHacked=1</script>';

describe.skipIf(!hasBrowser)(name, () => {
  let client: Awaited<ReturnType<typeof startWithClient>>;
  let browser: Awaited<ReturnType<typeof openPage>>;
  const problems: string[] = [];

  beforeAll(async () => {
    client = await startWithClient({ robots: { alerts: 'key-1' } });
    browser = await openPage({ width: 360, height: 740 });
    browser.page.on('pageerror', (error) => problems.push(error.message));
    browser.page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    await browser.page.goto(client.wecom.url);
    await browser.page.locator('[data-user="zhangsan"][aria-current="true"]').waitFor();
  });
  afterAll(async () => {
    await browser?.close();
    await client?.wecom.stop();
  });

  const bubbles = () => browser.page.locator('.row.in .bubble');

  /** Sends it to zhangsan and waits for its bubble. */
  async function show(msgtype: string, body: unknown) {
    const before = await bubbles().count();
    expect((await client.show(msgtype, body)).errcode).toBe(0);
    await bubbles().nth(before).waitFor();
    return bubbles().nth(before);
  }

  test('markdown is shown in its forms', async () => {
    const content =
      '# 发布 **完成**\n> 引用\n`npm ci` 与 [日志](https://a.example/log)\n<font color="warning">注意</font>';
    const bubble = await show('markdown', { content });
    expect(await bubble.locator('.heading').innerText()).toBe('发布 完成');
    expect(await bubble.locator('.heading b').innerText()).toBe('完成');
    expect(await bubble.locator('.quote').innerText()).toBe('引用');
    expect(await bubble.locator('code').innerText()).toBe('npm ci');
    expect(await bubble.locator('a').getAttribute('href')).toBe('https://a.example/log');
    expect(await bubble.locator('.tone-warning').innerText()).toBe('注意');
  });

  test('a textcard has its title, lines and link', async () => {
    const description = '<div class="gray">10:00</div>web 2/3';
    const bubble = await show('textcard', {
      title: '告警',
      description,
      url: 'https://a.example/1',
      btntxt: '处理',
    });
    expect(await bubble.locator('.heading').innerText()).toBe('告警');
    expect(await bubble.locator('.line').allInnerTexts()).toEqual(['10:00', 'web 2/3']);
    const link = bubble.getByText('处理');
    expect(await link.getAttribute('href')).toBe('https://a.example/1');
    expect(await link.getAttribute('rel')).toContain('noopener');
  });

  test('a template card has its rows, links and buttons', async () => {
    const bubble = await show('template_card', {
      card_type: 'button_interaction',
      task_id: 't-1',
      main_title: { title: '审批', desc: '扩容' },
      horizontal_content_list: [{ keyname: '申请人', value: '李四' }],
      button_list: [{ text: '同意', key: 'y' }],
    });
    expect(await bubble.locator('dt, dd').allInnerTexts()).toEqual(['申请人', '李四']);
    expect(await bubble.locator('.button').innerText()).toBe('同意');
  });

  test('a template card has its figure, its options and what submits them', async () => {
    const notice = await show('template_card', {
      card_type: 'text_notice',
      main_title: { title: '延迟', desc: '生产' },
      emphasis_content: { title: '2.4 s', desc: 'P99' },
      card_action: { type: 1, url: 'https://a.example/' },
    });
    expect(await notice.locator('.tone-emphasis').innerText()).toBe('2.4 s');
    expect(await notice.locator('.tone-gray').allInnerTexts()).toEqual(['生产', 'P99']);
    const vote = await show('template_card', {
      card_type: 'vote_interaction',
      task_id: 't-2',
      main_title: { title: '演练时间' },
      checkbox: { question_key: 'q', option_list: [{ id: '1', text: '周二' }] },
      submit_button: { text: '提交', key: 's' },
    });
    expect(await vote.locator('.line').allInnerTexts()).toEqual(['○ 周二']);
    expect(await vote.locator('.button').allInnerTexts()).toEqual(['提交']);
  });

  test('an address in a text can be opened, without the stop behind it', async () => {
    const bubble = await show('text', { content: '见 https://a.example/b?c=1，或 http://b.example/x.' });
    expect(await bubble.locator('a').allInnerTexts()).toEqual([
      'https://a.example/b?c=1',
      'http://b.example/x',
    ]);
    expect(await bubble.innerText()).toBe('见 https://a.example/b?c=1，或 http://b.example/x.');
  });

  test('a picture is loaded from what was uploaded', async () => {
    const { media_id } = await client.upload('image', 'x.png', PIXEL);
    const bubble = await show('image', { media_id });
    expect(await bubble.locator('img').getAttribute('src')).toBe(`/api/media/${media_id}`);
    const width =
      "document.querySelector('.picture').decode().then(() => document.querySelector('.picture').naturalWidth)";
    expect(await browser.page.evaluate(width)).toBe(1);
  });

  test('a file has its name and size, and is saved rather than opened', async () => {
    const { media_id } = await client.upload('file', '报告.html', Uint8Array.from(Buffer.from(EVIL)));
    const bubble = await show('file', { media_id });
    expect(await bubble.innerText()).toMatch(/^报告.html\s+\d+ B$/);
    const response = await fetch(`${client.wecom.url}${await bubble.locator('a').getAttribute('href')}`);
    expect(response.headers.get('content-disposition')).toMatch(/^attachment/);
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
    expect(response.headers.get('content-security-policy')).toContain('sandbox');
    expect(await response.text()).toBe(EVIL);
  });

  test('news has each title with its link', async () => {
    const articles = ['一', '二'].map((title) => ({
      title,
      url: 'https://a.example/n',
      description: '说明',
    }));
    const bubble = await show('news', { articles });
    expect(await bubble.locator('.article a').allInnerTexts()).toEqual(['一', '二']);
  });

  test('nothing of a message runs, and no link but http leads anywhere', async () => {
    const evil = [
      await show('text', { content: EVIL }),
      await show('markdown', { content: `# ${EVIL}\n**${EVIL}** [点](javascript:window.isHacked=1)` }),
      await show('textcard', { title: EVIL, description: EVIL, url: 'javascript:window.isHacked=1' }),
      await show('news', { articles: [{ title: EVIL, description: EVIL, url: 'data:text/html,x' }] }),
      await show('template_card', {
        card_type: 'text_notice',
        main_title: { title: EVIL, desc: EVIL },
        source: { desc: EVIL },
        horizontal_content_list: [{ keyname: EVIL, value: EVIL }],
        card_action: { type: 1, url: 'JavaScript:window.isHacked=1' },
      }),
    ];
    for (const bubble of evil) {
      expect(await bubble.locator('img, script, a').count()).toBe(0);
      expect(await bubble.textContent()).toContain(EVIL);
    }
    expect(await browser.page.evaluate('window.isHacked')).toBeUndefined();
    expect(problems).toEqual([]);
  });

  test('what was taken back vanishes without a reload, and from the phones that are not on the screen', async () => {
    const { msgid } = await client.text('zhangsan|lisi', '发错了');
    const { page } = browser;
    await page.getByText('发错了').waitFor();
    await client.post('message/recall', { msgid });
    await page.getByText('发错了').waitFor({ state: 'detached' });
    await page.locator('[data-user="lisi"]').click();
    expect(await page.getByText('发错了').count()).toBe(0);
  });

  test('a card that changes does so in its place, without a reload', async () => {
    const main_title = { title: '重启 web？' };
    const button_list = [{ text: '批准', key: 'yes' }];
    const card = { card_type: 'button_interaction', main_title, task_id: 'changes', button_list };
    const { response_code } = await client.show('template_card', card);
    await client.text('zhangsan', '卡片之后');
    const { page } = browser;
    await page.locator('[data-user="zhangsan"]').click();
    await page.getByText('卡片之后').waitFor();
    const rows = await page.locator('.row').count();
    const body = { agentid: app.agentId, response_code, atall: 1, button: { replace_name: '李四已批准' } };
    await client.post('message/update_template_card', body);
    await page.getByText('李四已批准').waitFor();
    expect(await page.locator('.row').count()).toBe(rows);
    expect(await page.locator('.row').last().innerText()).toContain('卡片之后');
  });

  test('groups are conversations to read: their messages, and nothing to type with', async () => {
    const { page } = browser;
    await client.post('appchat/send', { chatid: 'oncall', msgtype: 'text', text: { content: '1 交接' } });
    await client.robot('key-1', { msgtype: 'text', text: { content: '磁盘告警' } });
    await page.locator('[data-user="robot:alerts"] .unread').waitFor();
    await page.locator('[data-user="robot:alerts"]').click();
    await page.getByText('磁盘告警').waitFor();
    expect(await page.locator('#peer').innerText()).toBe('alerts');
    expect(await page.locator('#state').innerText()).toBe('群机器人');
    expect(await page.locator('#composer').isVisible()).toBe(false);
    await page.locator('[data-user="chat:oncall"]').click();
    await page.getByText('1 交接').waitFor();
    expect(await page.locator('.choice').count()).toBe(0);
    await page.locator('[data-user="zhangsan"]').click();
    expect(await page.locator('#composer').isVisible()).toBe(true);
    expect(await page.locator('#peer').innerText()).toBe('Keypad 运维助手');
  });

  test('every kind fits a narrow screen', async () => {
    await show('textcard', {
      title: '长'.repeat(60),
      description: 'x'.repeat(200),
      url: 'https://a.example',
    });
    const { media_id } = await client.upload('file', `${'名'.repeat(60)}.csv`, PNG);
    await show('file', { media_id });
    const { page } = browser;
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    expect(await page.evaluate("document.getElementById('log').scrollWidth")).toBe(360);
    expect(problems).toEqual([]);
  });
});

test('a group can be read and not be spoken for; what is not kept is not found', async () => {
  const client = await startWithClient();
  const { url, stop } = client.wecom;
  await client.post('appchat/send', { chatid: 'oncall', msgtype: 'text', text: { content: '好' } });
  const groups = await (await fetch(`${url}/api/groups`)).json();
  expect(groups).toEqual([{ userid: 'chat:oncall', name: '值班群', position: '群聊', isGroup: true }]);
  expect(await (await fetch(`${url}/api/messages?user=chat:oncall`)).json()).toMatchObject([{ text: '好' }]);
  const said = JSON.stringify({ user: 'chat:oncall', text: '1' });
  const headers = { 'content-type': 'application/json' };
  expect((await fetch(`${url}/api/say`, { method: 'POST', headers, body: said })).status).toBe(400);
  expect((await fetch(`${url}/api/media/none`)).status).toBe(404);
  await stop();
});
