import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';

const program = '/usr/bin/chromium';

/** Whether the system has the browser that the page tests need. */
export const hasBrowser = existsSync(program);

const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
];

/** A headless browser with a profile of its own and one page of that size; `close` removes the profile. */
export async function openPage(viewport: { width: number; height: number }, deviceScaleFactor = 1) {
  const profile = mkdtempSync(join(tmpdir(), 'keypad-browser-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: program,
    args,
    viewport,
    deviceScaleFactor,
    locale: 'zh-CN',
  });
  const page = context.pages()[0] ?? (await context.newPage());
  return {
    page: page as Page,
    close: async () => {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}
