import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasBrowser, openPage } from '../demo/phone/browser.ts';
import { startTestDemo, type TestDemo } from '../helpers/demo.ts';

const name = `the whole demo, on its phone page${hasBrowser ? '' : ' (skipped: no /usr/bin/chromium here)'}`;

describe.skipIf(!hasBrowser)(name, () => {
  let demo: TestDemo;
  let browser: Awaited<ReturnType<typeof openPage>>;

  beforeAll(async () => {
    demo = await startTestDemo();
    browser = await openPage({ width: 390, height: 844 });
    await browser.page.goto(demo.wecom.url);
  });
  afterAll(async () => {
    await browser?.close();
    await demo?.stop();
  });

  /** The hands and eyes of a person who has just taken up somebody's phone. */
  async function takePhoneOf(user: string) {
    const { page } = browser;
    await page.locator(`[data-user="${user}"]`).click();
    const screens = page.locator('.row.in .bubble:not(.typing)');
    let seen = await screens.count();
    const nextScreen = async (): Promise<string> => {
      await screens.nth(seen).waitFor();
      seen += 1;
      return screens.nth(seen - 1).innerText();
    };
    const tap = (key: string) =>
      page.getByRole('button', { name: key, exact: true }).locator('visible=true').click();
    return {
      nextScreen,
      /** Taps keys of the number pad, and 发送. */
      async keys(...keys: readonly string[]) {
        for (const key of [...keys, '发送']) await tap(key);
        return nextScreen();
      },
      /** Taps a line of the newest screen, and 发送. */
      async line(text: string) {
        await page.locator('.choice:enabled', { hasText: text }).click();
        await tap('发送');
        return nextScreen();
      },
      /** Taps a key that sends at once. */
      async quick(key: string) {
        await tap(key);
        return nextScreen();
      },
    };
  }

  test('a person taps their way to a scaled deployment and reads what became of it', async () => {
    const phone = await takePhoneOf('zhangsan');
    expect(await phone.keys('1')).toContain('请选择事业部');
    await phone.line('电商');
    await phone.line('Kubernetes');
    expect(await phone.line('扩缩容')).toContain('第 1/2 页');
    await phone.quick('n 下一页');
    expect(await phone.line('web')).toContain('副本数');
    expect(await phone.keys('3')).toContain('副本 2 → 3');
    expect(await phone.line('确认')).toContain('web：2 → 3，3 个就绪');
  });

  test('what ends later arrives without a reload', async () => {
    const phone = await takePhoneOf('wangwu');
    await browser.page.evaluate('window.isSamePage = true');
    await phone.keys('1');
    for (const line of ['电商', 'Kubernetes', '重启部署']) await phone.line(line);
    expect(await phone.line('cart')).toContain('滚动重启 3 个 Pod');
    demo.cluster.hold();
    expect(await phone.line('确认')).toContain('已提交：cart 滚动重启');
    demo.cluster.release();
    expect(await phone.nextScreen()).toBe('cart：已重启，3 个就绪');
    expect(await browser.page.evaluate('window.isSamePage')).toBe(true);
  });

  test('another person sees another menu, and one without a role none', async () => {
    const lisi = await takePhoneOf('lisi');
    expect(await lisi.keys('1')).not.toContain('支付');
    await lisi.line('电商');
    const menu = await lisi.line('Kubernetes');
    expect(menu).toContain('3 重启部署');
    expect(menu).not.toContain('扩缩容');
    const mallory = await takePhoneOf('mallory');
    expect(await mallory.keys('1')).toContain('你还没有任何运维权限');
  });
});
