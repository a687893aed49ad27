import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { fakeOps, phoneWith } from '../helpers/phone.ts';
import { settings } from './settings.ts';
import { commentsOf, loadFiles, root } from './sources.ts';

const documents = loadFiles('{*,menus/README,deploy/README,docs/*}.md');

/** What looks like a setting of Keypad and is none: the demo's own, and a right of MySQL. */
const OTHERS = [
  'NODE_USE_ENV_PROXY',
  'VERIFY_IDENTITY',
  'VERIFY_CA',
  'DEMO_PORT',
  'CONNECTION_ADMIN',
  'NODE_EXTRA_CA_CERTS',
  // Of a Job's containers.
  'INPUT_FROM_DAY',
  'INPUT_UNIT',
  'KEYPAD_OPERATION',
  'CACHE_TOKEN',
  'KEYPAD_RUN',
  'CACHE_TOKEN_FILE',
];

/** What a document has its reader write. */
const CREATED = ['test/menus/unready.test.ts'];

/** What a heading is linked by, as GitHub makes it. */
function anchorOf(heading: string): string {
  const words = heading.toLowerCase().replace(/[^\w\u4e00-\u9fff -]/g, '');
  return `#${words.replaceAll(' ', '-')}`;
}

describe.each(documents)('$path', ({ path, text }) => {
  test('links to files and headings that are there', () => {
    const prose = text.replace(/```[\s\S]*?```|`[^`\n]*`/g, '');
    const links = [...prose.matchAll(/\]\(([^):]+)\)|<img src="([^"]+)"/g)].map(
      ([, link = '', image]) => image ?? link,
    );
    const anchors = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));
    const leads = (link: string) =>
      link.startsWith('#') ? anchors.includes(link) : existsSync(join(root, dirname(path), link));
    expect(links.filter((link) => !leads(link))).toEqual([]);
  });

  test('names files of the project that are there', () => {
    const files = [...text.matchAll(/`((?:src|demo|test|deploy|scripts|docs)\/[\w./-]*)`(, new)?/g)];
    const named = files.filter(([, , isNew]) => isNew === undefined).map(([, file = '']) => file);
    expect(named.filter((file) => !existsSync(join(root, file)) && !CREATED.includes(file))).toEqual([]);
  });

  test('names settings that exist', () => {
    const names = [...text.matchAll(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g)].map(([name]) => name);
    const known = new Set(settings.map(({ name }) => name));
    const isSetting = (name: string) => known.has(name) || known.has(name.replace(/_FILE$/, ''));
    expect(names.filter((name) => !isSetting(name) && !OTHERS.includes(name))).toEqual([]);
  });
});

describe('the comments of the code', () => {
  const paths = globSync(['*', '{src,demo,test,menus,operations,scripts,docs,deploy}/**'], { cwd: root });
  const isThere = (name: string) => paths.some((path) => `/${path}`.endsWith(`/${name}`));
  /** Files, by their path or its end, such as `server/mysql.ts`, and folders by their path; not what begins with a slash. */
  const NAMED =
    /(?<![\w./-])(?:[\w-]+\/)*[\w.-]*\w\.(?:ts|js|mjs|md|yaml)\b|(?<![\w./-])(?:src|demo|test|scripts|docs|deploy)\/[\w/-]*\w/g;
  const missingIn = (text: string) =>
    [...commentsOf(text).matchAll(NAMED)].map(([name]) => name).filter((name) => !isThere(name));

  test('name files and folders that are there', () => {
    const code = loadFiles('{*.ts,{src,demo,test,menus,operations,scripts}/**/*.{ts,js,mjs}}').filter(
      // Their strings are examples of comments.
      ({ path }) => !/^test\/house\/(docs|sections)\.test\.ts$/.test(path),
    );
    expect(code.length).toBeGreaterThan(500);
    const missing = code.flatMap(({ path, text }) => missingIn(text).map((name) => `${path}: ${name}`));
    expect(missing).toEqual([]);
  });

  test.each([
    ['// see server/mysql.ts, mysql.ts and test/house/', []],
    ['/**\n * As in src/server/none.ts.\n */', ['src/server/none.ts']],
    ['// (erver/mysql.ts)', ['erver/mysql.ts']],
    ['// all of src/nowhere', ['src/nowhere']],
    ["const file = 'a.ts'; // GET /v1/b.yaml", []],
  ])('of %j these are not there: %j', (text, missing) => {
    expect(missingIn(text)).toEqual(missing);
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
