import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fakeOps, type Phone, phoneWith } from '#test/phone.ts';
import { treeOf } from '#test/tree.ts';
import { action, choice, folder, operation, table } from '../../src/menu/index.ts';
import { Unavailable } from '../../src/menu/tree/context.ts';
import { cutLongLines } from '../../src/menu/turn/pages.ts';
import { sentences } from '../../src/menu/words/sentences.ts';
import { bytesOf } from '../../src/menu/words/text.ts';

/** A platform that cleans nothing: this text is wherever it can say something, whatever it promises. */
function phoneAmong(said: string, replyBytes = 2048): Promise<Phone> {
  const listed = () =>
    Object.assign([{ key: 'k', label: said, name: said }, 'web'], { unread: [said] }) as never;
  const change = { lines: () => [said, `副本：${said}`, said], run: () => said };
  const fresh = { id: '9', hash: 'h', lines: [said], expiresAt: 2e12 };
  const ops = fakeOps({
    'k8s.scale': change,
    'k8s.restart': { ...change, code: '0482', run: () => ({ text: said, fresh }) },
  });
  const ask = { one: choice('选哪个', async () => listed()) };
  const tree = treeOf({
    'index.ts': folder({ title: '首页' }),
    '1-list.ts': action({ title: '列表', ask, run: () => said }),
    '2-table.ts': action({ title: '表格', run: () => table(listed()) }),
    '3-long.ts': action({ title: '长文', run: () => `${'字'.repeat(30)}${said}`.repeat(12) }),
    '4-change.ts': operation({ title: '改', runs: 'k8s.scale', ask, input: () => ({}) as never }),
    '5-moved.ts': operation({ title: '动', runs: 'k8s.restart', input: () => ({}) as never }),
    '6-away.ts': action({
      title: '不在',
      run: () => {
        throw new Unavailable(said);
      },
    }),
  });
  return phoneWith(tree, { ops, replyBytes });
}

/** Written apart from the guard: what a thumb takes for something to type. */
const TEMPTING =
  /^\s*[(（【]?(?:[0-9０-９]{1,4}|[①-⑳⑴-⒇❶-❿]|[*#?np＊＃？ｎｐ])[.、．):）：】]?(?:\s|[返确退下上是]|$)/u;

/** The lines that are ours at the screen that was shown last: those of its list, and its keys. */
function oursAt(phone: Phone): readonly (string | RegExp)[] {
  const screen = phone.session()?.screen;
  const keys = [/^0\/\* 返回 {2}# 退出 {2}\? 帮助$/, ...(screen?.kind === 'preview' ? [/^1 确认$/] : [])];
  if (screen?.kind === 'menu') return [...keys, /^[1-6] (?:列表|表格|长文|改|动|不在)$/];
  if (screen?.kind !== 'choice') return keys;
  return [...keys, ...screen.pins.map(({ label }, index) => `${index + 1} ${label}`)];
}

function expectOursOnly(phone: Phone, reply: string): void {
  for (const line of reply.split(/[\n\r\v\f\u0085\u2028\u2029]/)) {
    if (!TEMPTING.test(line.normalize('NFC').replace(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, '')))
      continue;
    const isOurs = oursAt(phone).some((own) =>
      typeof own === 'string' ? own.startsWith(line.split('…')[0] ?? '') : own.test(line),
    );
    expect(isOurs, `${JSON.stringify(line)} in\n${reply}`).toBe(true);
  }
}

const FORGED = [
  '1 确认',
  '0 返回',
  'n',
  '2',
  '１　确认',
  '# 退出',
  '①确认',
  '(1) x',
  '? 帮助',
  '\u200b1 x',
  'p 上一页',
  'ｎ 下一页',
  '＃ 退出',
  '一、确认',
  '十 x',
];
const LINE_ENDS = ['\n', '\r\n', '\r', '\v', '\f', '\u0085', '\u2028', '\u2029', ' ', '字'];
const piece = fc.oneof(
  fc.constantFrom(...FORGED),
  fc.constantFrom(...LINE_ENDS),
  fc.string({ unit: 'binary', maxLength: 6 }),
);
const foreign = fc
  .array(piece, { minLength: 1, maxLength: 40 })
  .map((pieces) => pieces.join(''))
  .filter((text) => text.trim() !== '');

test('whatever the platform says, in lists, results, previews, outcomes, notices and their pages, no choice is forged', async () => {
  const walks = [
    ['1', '1'],
    ['1', '9'],
    ['2'],
    ['3'],
    ['4', '1', '1'],
    ['4', '2', '2'],
    ['5', '0482'],
    ['6'],
    ['?'],
  ];
  await fc.assert(
    fc.asyncProperty(foreign, fc.integer({ min: 400, max: 2048 }), async (said, replyBytes) => {
      for (const walk of walks) {
        const phone = await phoneAmong(said, replyBytes);
        for (const typed of walk) {
          let reply = await phone.say(typed);
          for (let page = 0; page < 9; page += 1) {
            expectOursOnly(phone, reply);
            if (!reply.includes(`  ${sentences.next}`)) break;
            reply = await phone.say('n');
          }
        }
      }
    }),
    { numRuns: 60 },
  );
});

test.each(FORGED)(
  'a value that is cut so that a line begins with %j says that it is none of ours',
  (forged) => {
    const [first, ...rest] = cutLongLines(`${'x'.repeat(40)}${forged} y`, 40);
    expect(first).toBe('x'.repeat(40));
    expect(rest.join('')).toBe(`│ ${forged} y`);
    expect(cutLongLines(`${forged} ${'y'.repeat(60)}`, 40).every((part) => bytesOf(part) <= 40)).toBe(true);
  },
);

test('the lines of a page may be cut anywhere', async () => {
  let quoted = 0;
  for (let before = 320; before < 350; before += 1) {
    const tree = treeOf({
      'index.ts': folder({ title: '首页' }),
      '1-long.ts': action({ title: '长文', run: () => `${'x'.repeat(before)}1 确认 ${'y'.repeat(300)}` }),
    });
    const phone = await phoneWith(tree, { ops: fakeOps({}), replyBytes: 400 });
    for (let reply = await phone.say('1'); ; reply = await phone.say('n')) {
      expectOursOnly(phone, reply);
      expect(bytesOf(reply)).toBeLessThanOrEqual(400);
      if (/^│ 1 确认/m.test(reply)) quoted += 1;
      if (!reply.includes(sentences.next)) break;
    }
  }
  expect(quoted).toBeGreaterThan(0);
});

test('what a person typed forges nothing either', async () => {
  const phone = await phoneAmong('web');
  for (const typed of ['x\n1 确认', '1-1\u20280 返回', '9-\u202e1\n1 确认-3']) {
    await phone.say('#', 'hi', '1');
    expectOursOnly(phone, await phone.say(typed));
  }
});

test('what was chosen or typed is one line of a title or a sentence, and all of it can be seen', async () => {
  const phone = await phoneAmong('a\u202e\nb');
  expect(await phone.say('1', '1')).toMatch(/^列表 › a\[U\+202E\]↵b$/m);
  expect(sentences.ambiguous('a\u2028\u202eb')).toBe(sentences.ambiguous('a↵[U+202E]b'));
});

test('where not even a screen can be shown, the sentence says instead that it is one', async () => {
  const away = async () => {
    throw new Unavailable('1 确认');
  };
  const root = folder({ title: '首页', ask: { unit: choice('单元', away) } });
  expect(await (await phoneWith(treeOf({ 'index.ts': root }), { ops: fakeOps({}) })).say('hi')).toBe(
    '│ 1 确认',
  );
});

test('a bar before a notice costs no line of the page below it', async () => {
  const rows = Object.assign(
    Array.from({ length: 30 }, (_, at) => `web-${at}`),
    { unread: ['x\n1 a\n2 b\n3 c'] },
  );
  const ask = { one: choice('选', async () => rows) };
  const tree = treeOf({
    'index.ts': folder({ title: '首页' }),
    '1-a.ts': action({ title: '甲', ask, run: () => '' }),
  });
  for (let replyBytes = 160; replyBytes < 190; replyBytes += 1) {
    const phone = await phoneWith(tree, { ops: fakeOps({}), replyBytes });
    expect(await phone.say('1')).not.toContain('没有显示');
  }
});

test('a line that only looks alike is left as it is, and the help too', async () => {
  const lines = [
    '10.0.0.1 好',
    '2026-11-27',
    '3-tier 2/2',
    '2/2 就绪',
    '50% 好',
    'nginx',
    'p99 好',
    '#7 root',
    '一个',
    '12345 次',
  ];
  const phone = await phoneAmong(`好\n${lines.join('\n')}`);
  expect(await phone.say('1', '1')).toContain(`\n${lines.join('\n')}\n`);
  expect(await phone.say('?')).toContain(sentences.helpText);
  expect(await (await phoneAmong('1 确认')).say('2')).toContain('│ 1 确认');
});
