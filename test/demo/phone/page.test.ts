import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningWeCom, startWeCom } from '../../../demo/wecom/start.ts';
import { app, fieldOf, reply, startBot } from '../wecom/small-bot.ts';
import { hasBrowser, openPage } from './browser.ts';

const SCREEN = '电商 › Kubernetes\n1 查看部署\n2 <b>扩缩容</b>\n\n0/* 返回  # 退出  ? 帮助';

describe.skipIf(!hasBrowser)('the phone page', () => {
  let bot: Awaited<ReturnType<typeof startBot>>;
  let wecom: RunningWeCom;
  let browser: Awaited<ReturnType<typeof openPage>>;
  let release = (): void => {};
  const errors: string[] = [];
  const foreign: string[] = [];

  beforeAll(async () => {
    bot = await startBot(async ({ plaintext }) => {
      const [user = '', text] = [fieldOf(plaintext, 'FromUserName'), fieldOf(plaintext, 'Content')];
      if (text === '慢') {
        await new Promise<void>((resolve) => {
          release = resolve;
        });
      }
      return text === '坏' ? { status: 500 } : reply(SCREEN, { ToUserName: user });
    });
    wecom = await startWeCom({ ...app, callbackUrls: [bot.url], port: 0, pace: { retryGapMs: 1 } });
    browser = await openPage({ width: 390, height: 844 });
    browser.page.on('pageerror', (error) => errors.push(error.message));
    browser.page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    browser.page.on('request', (request) => {
      if (!request.url().startsWith(wecom.url)) foreign.push(request.url());
    });
  });
  afterAll(async () => {
    await browser?.close();
    await wecom?.stop();
    await bot?.stop();
  });

  /** The page as that person, loaded anew. */
  async function open(user: string) {
    const { page } = browser;
    await page.goto('about:blank');
    await page.goto(`${wecom.url}/#${user}`);
    await page.locator(`[data-user="${user}"][aria-current="true"]`).waitFor();
    const bubbles = (direction: 'in' | 'out') => page.locator(`.row.${direction} .bubble:not(.typing)`);
    const tap = (name: string) =>
      page.getByRole('button', { name, exact: true }).locator('visible=true').click();
    return { page, bubbles, tap };
  }

  test('types what is tapped, sends it, and shows both bubbles as plain text', async () => {
    const { page, bubbles, tap } = await open('zhangsan');
    for (const key of ['1', '短横线', '2', '短横线', '7', '删除', '3', '发送']) await tap(key);
    await bubbles('in').waitFor();
    expect(await bubbles('out').allInnerTexts()).toEqual(['1-2-3']);
    expect(await bubbles('in').textContent()).toBe(SCREEN.replaceAll('\n', ''));
    expect(await page.inputValue('#input')).toBe('');
  });

  test('sends a quick key at once, and what was typed with Enter', async () => {
    const { page, bubbles, tap } = await open('lisi');
    await tap('* 返回');
    await bubbles('in').nth(0).waitFor();
    await page.fill('#input', '你好');
    await page.press('#input', 'Enter');
    await bubbles('in').nth(1).waitFor();
    expect(await bubbles('out').allInnerTexts()).toEqual(['*', '你好']);
  });

  test('types exactly the number of a tapped line, of the newest screen only, and sends nothing', async () => {
    const { page, bubbles, tap } = await open('wangwu');
    for (const turn of [0, 1]) {
      await tap('p 上一页');
      await bubbles('in').nth(turn).waitFor();
    }
    await page.locator('.choice:enabled', { hasText: '扩缩容' }).click();
    expect(await page.inputValue('#input')).toBe('2');
    expect(await bubbles('out').count()).toBe(2);
    expect(await bubbles('in').nth(0).locator('.choice:enabled').count()).toBe(0);
    expect(await bubbles('in').nth(1).locator('.choice').allInnerTexts()).toEqual([
      '1 查看部署',
      '2 <b>扩缩容</b>',
    ]);
  });

  test('shows dots until the reply is there, and says when there is none', async () => {
    const { page, bubbles } = await open('mallory');
    await page.fill('#input', '慢');
    await page.press('#input', 'Enter');
    await page.locator('.typing').waitFor();
    expect(await bubbles('in').count()).toBe(0);
    release();
    await bubbles('in').waitFor();
    await page.locator('.typing').waitFor({ state: 'detached' });
    await page.fill('#input', '坏');
    await page.press('#input', 'Enter');
    const notice = page.locator('.notice.bad');
    await notice.waitFor();
    expect(await notice.innerText()).toBe('没有收到回复：the bot answered HTTP 500');
  });

  test('shows a pushed message without reload, and a count beside those who are not on the screen', async () => {
    const { page, bubbles } = await open('zhangsan');
    const shown = await bubbles('in').count();
    const message = { direction: 'in', kind: 'push', msgid: 'm' } as const;
    wecom.history.add({ ...message, user: 'lisi', text: '给李四' });
    wecom.history.add({ ...message, user: 'zhangsan', text: '已完成：web 2 → 3' });
    await bubbles('in').nth(shown).waitFor();
    expect(await bubbles('in').last().innerText()).toBe('已完成：web 2 → 3');
    const unread = page.locator('[data-user="lisi"] .unread');
    expect(await unread.innerText()).toBe('1');
    await page.locator('[data-user="lisi"]').click();
    await page.getByText('给李四').waitFor();
    expect(await unread.isVisible()).toBe(false);
    expect(await page.getByText('已完成：web 2 → 3').count()).toBe(0);
    expect(new URL(page.url()).hash).toBe('#lisi');
  });

  test('keeps the newest message in sight and every key big enough for a thumb', async () => {
    const { page, bubbles } = await open('zhangsan');
    const shown = await bubbles('in').count();
    for (let count = 0; count < 12; count += 1) {
      wecom.history.add({ user: 'zhangsan', direction: 'in', kind: 'push', text: SCREEN, msgid: 'm' });
    }
    await bubbles('in')
      .nth(shown + 11)
      .waitFor();
    const log = await page.locator('#log').boundingBox();
    const last = await bubbles('in').last().boundingBox();
    expect((last?.y ?? 0) + (last?.height ?? 0)).toBeLessThanOrEqual((log?.y ?? 0) + (log?.height ?? 0));
    for (const key of await page.locator('.keys button').all()) {
      const box = await key.boundingBox();
      expect(Math.min(box?.width ?? 0, box?.height ?? 0)).toBeGreaterThanOrEqual(44);
    }
    const width = await page.evaluate('document.documentElement.scrollWidth');
    expect(width).toBe(390);
  });

  test('asks nobody but this server, and its policy forbids it to', async () => {
    await open('zhangsan');
    const response = await fetch(wecom.url);
    expect(response.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(foreign.filter((url) => url !== 'about:blank')).toEqual([]);
    expect(errors).toEqual([]);
  });
});
