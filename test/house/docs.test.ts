import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { fakeOps, phoneWith } from '../helpers/phone.ts';
import { settings } from './settings.ts';
import { loadFiles, root } from './sources.ts';

const documents = loadFiles('{README*,CHANGELOG,menus/README,deploy/README}.md');

/** What looks like a setting of Keypad and is none: the demo's own, and a right of MySQL. */
const OTHERS = ['DEMO_PORT', 'CONNECTION_ADMIN'];

describe.each(documents)('$path', ({ path, text }) => {
  test('links to files that are there', () => {
    const links = [...text.matchAll(/\]\(([^):]+)\)|<img src="([^"]+)"/g)].map(
      ([, link, image]) => link ?? image,
    );
    expect(links.filter((link) => !existsSync(join(root, dirname(path), link ?? '')))).toEqual([]);
  });

  test('names settings that exist', () => {
    const names = [...text.matchAll(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g)].map(([name]) => name);
    const known = new Set(settings.map(({ name }) => name));
    const isSetting = (name: string) => known.has(name) || known.has(name.replace(/_FILE$/, ''));
    expect(names.filter((name) => !isSetting(name) && !OTHERS.includes(name))).toEqual([]);
  });
});

describe('the entry in menus/README.md', () => {
  const directory = mkdtempSync(join(tmpdir(), 'keypad-docs-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test('works as its test there says', async () => {
    const [, entry = ''] =
      /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, 'menus/README.md'), 'utf8')) ?? [];
    cpSync(join(root, 'menus'), directory, { recursive: true });
    writeFileSync(join(directory, '1-kubernetes/5-unready.ts'), entry);
    const ops = fakeOps({
      'units.list': () => ['电商'],
      'k8s.deployments.list': () => [
        { key: 'shop/coupon', label: 'coupon', namespace: 'shop', name: 'coupon' },
      ],
      'k8s.pods.list': () => [
        { name: 'coupon-a', phase: 'Running', ready: true },
        { name: 'coupon-b', phase: 'Pending', ready: false },
      ],
    });
    const phone = await phoneWith(directory, { ops });
    const reply = await phone.say('电商', '1', '5', 'coupon');
    expect(reply).toContain('coupon-b\n  Pending');
    expect(reply).not.toContain('coupon-a');
  });
});
