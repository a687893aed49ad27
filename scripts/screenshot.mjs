/**
 * Takes the picture of README.md anew: `node scripts/screenshot.mjs [file]`, with Node 24 and /usr/bin/chromium.
 * It starts a demo of its own and taps the way to a scaled deployment.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDemo } from '../demo/start.ts';
import { openPage } from '../test/demo/phone/browser.ts';
import { choosePorts } from '../test/helpers/ports.ts';

const file = process.argv[2] ?? 'docs/phone.png';
const directory = mkdtempSync(join(tmpdir(), 'keypad-picture-'));
const demo = await startDemo({ directory, ports: await choosePorts(), isThrowaway: true });
try {
  const browser = await openPage({ width: 860, height: 940 }, 1.5);
  try {
    await takePicture(browser.page);
  } finally {
    await browser.close();
  }
} finally {
  await demo.stop();
  rmSync(directory, { recursive: true, force: true });
}

/** @param {import('playwright-core').Page} page */
async function takePicture(page) {
  await page.goto(`${demo.wecom.url}/#zhangsan`);
  // Until then nobody listens to what is typed.
  await page.locator('[data-user="zhangsan"][aria-current="true"]').waitFor();
  const screens = page.locator('.row.in .bubble:not(.typing)');
  const said = ['你好', '1', '1', '2', 'web', '3', '1'];
  for (const [index, text] of said.entries()) {
    await page.fill('#input', text);
    await page.press('#input', 'Enter');
    await screens.nth(index).waitFor();
  }
  await page.locator('#input').blur();
  await page.screenshot({ path: file });
}
