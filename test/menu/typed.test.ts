import { describe, expect, test } from 'vitest';
import { fakeOps, phoneWith } from '#test/phone.ts';
import { treeOf } from '#test/tree.ts';
import { action, code, folder, text } from '../../src/menu/index.ts';
import { isLeaving } from '../../src/menu/turn/input.ts';
import { sentences } from '../../src/menu/words/sentences.ts';
import { cluster, open } from './shop.ts';

const ran = ({ calls }: { readonly calls: readonly (readonly [string, unknown])[] }) =>
  calls.filter(([name]) => name === 'k8s.scale' || name === 'k8s.restart');

describe('what people type', () => {
  const atMenu = [
    [['1.', '1、', '1)', '１）', '1。', '①', '一', '１．', ' 1 '], '1-1'],
    [['1,', '1，', '1：', '(1)', '（1）', '⑴', '（一）', '1)。', '\u200b1', '1\ufeff'], '1-1'],
    [['2', '②', '二', '２、', '两', '⑵'], '1-2'],
    [['0', '*', '返回', '上一步', 'back', 'BACK', 'Ｂａｃｋ', '取消', 'cancel'], ''],
    [['取消。', '取消！', '取 消', '返回。', 'Cancel.'], ''],
    [['#', '＃', '退出', 'exit', 'EXIT', 'quit', 'Quit'], null],
    [['退出。', '退 出', 'exit.', 'Exit！'], null],
    [['菜单', '主菜单', '首页', 'menu', 'Menu'], ''],
    [['1 1 2', '１　１　２', '1  1  2', '1-1-2', '１－１－２'], '1-1-2'],
    [['1\t1\t2', '1\n1\n2', '1、1、2', '一 一 二', '1 - 1 - 2', '1–1–2', '1—1—2', '①-1-2'], '1-1-2'],
    [
      [
        '?',
        '？',
        '帮助',
        'help',
        'Help',
        'constructor',
        '__proto__',
        '三十',
        '一二',
        '二百',
        '0.',
        '1,1',
        '⑶',
        '1.1',
        '1 web',
        '1 0 2',
        '1 1 '.repeat(9),
      ],
      '1',
    ],
  ] as const;

  test.each(atMenu)('at a menu %j lead to %j', async (lines, path) => {
    for (const line of lines) {
      const phone = await open();
      await phone.say('1', line);
      expect(phone.path(), line).toBe(path);
    }
  });

  test('help in any of its words is help', async () => {
    const phone = await open();
    for (const line of ['help', 'HELP', '帮助', '？', '？？', '??', '帮助。'])
      expect(await phone.say(line), line).toContain(sentences.helpText);
  });

  test('at a preview 取消 and no cancel: it says so, runs nothing, and shows the menu of the entry', async () => {
    for (const line of ['取消', '否', '不', 'no', 'NO', 'cancel', '取消。', '取 消', '不。']) {
      for (const lines of [['1-1-2-web-3'], ['1-1-3-web']]) {
        const { ops } = cluster('web');
        const phone = await open(ops);
        await phone.say(...lines);
        const reply = await phone.say(line);
        expect(reply, line).toContain(sentences.cancelled);
        expect(reply, line).toContain('2 扩缩容\n3 重启');
        expect(phone.path(), line).toBe('1-1');
        expect(await phone.say('1'), line).toContain('没有选项 1');
        expect(ran(ops), line).toEqual([]);
      }
    }
  });

  test('nothing but 1 confirms, and nothing but its digits is a code', async () => {
    const { ops } = cluster('web');
    const phone = await open(ops);
    await phone.say('1-1-2-web-3');
    for (const line of [
      '①',
      '一',
      '1.',
      '1、',
      '1)',
      '1 1',
      '1、1',
      '（1）',
      '⑴',
      '01',
      '11',
      'y',
      'yes',
      '是',
      '确认',
      'ok',
    ]) {
      const reply = await phone.say(line);
      expect(reply, line).toContain(sentences.onlyOne);
      expect(reply, line).toContain('副本 2 → 3');
    }
    await phone.say('1-1-3-web');
    for (const line of ['1', '0482.', '0482、', '0 4 8 2', '〇四八二', '482']) {
      expect(await phone.say(line), line).toContain(sentences.wrongCode);
    }
    expect(ran(ops)).toEqual([]);
    expect(await phone.say('０４８２')).toContain('已重启');
  });

  test('in the middle of an operation 取消 leads to its menu; after the outcome it says that it is too late', async () => {
    const phone = await open();
    await phone.say('1', '1', '2', 'web', '取消');
    expect(phone.path()).toBe('1-1');
    await phone.say('2', '取消');
    expect(phone.path()).toBe('1-1');
    expect(await phone.say('2', 'web', '3', '1', '取消')).toContain(sentences.cannotCancel);
  });

  test('at a number question words lead away, and a number may be written in any way', async () => {
    for (const [line, path] of [
      ['取消', '1-1'],
      ['exit', null],
      ['菜单', ''],
      ['上一步', '1-1-2'],
      ['三', '1-1-2-web-3'],
      ['③', '1-1-2-web-3'],
      ['3.', '1-1-2-web-3'],
      ['两', '1-1-2-web-2'],
      ['十一', '1-1-2-web-11'],
      ['二十', '1-1-2-web-20'],
      ['三十二。', '1-1-2-web-32'],
      ['零', '1-1-2-web-0'],
      ['（3）', '1-1-2-web-3'],
      ['1-1-2', '1-1-2'],
      ['1 1 2', '1-1-2'],
      ['1-9-9', '1-1-2-web'],
      ['1,000', '1-1-2-web'],
      ['0.', '1-1-2-web'],
      ['退出。', null],
      ['n', '1-1-2-web'],
    ] as const) {
      const phone = await open();
      await phone.say('1', '1', '2', 'web', line);
      expect(phone.path(), line).toBe(path);
    }
  });

  test('in free text every word but the keys that leave is an answer', async () => {
    for (const line of [
      '取消',
      '菜单',
      'exit',
      'help',
      'back',
      '0',
      '1.',
      '①',
      '一',
      '1 1 2',
      '1、1、2',
      '（1）',
      '取消。',
      '否',
      'constructor',
    ]) {
      const phone = await open();
      expect(await phone.say('1', '2', line), line).toContain(`记下：${line}`);
    }
  });

  test('where the pattern of a text refuses a word, the word leads away', async () => {
    const phone = await phoneWith(
      treeOf({
        'index.ts': folder({ title: '首页' }),
        '1-ask.ts': action({
          title: '问',
          ask: { name: text('名字', { pattern: /^[a-z]+-[a-z]+$/ }) },
          run: () => 'ok',
        }),
      }),
      { ops: fakeOps({}) },
    );
    await phone.say('1', '0');
    expect(phone.path()).toBe('');
    await phone.say('1', 'exit');
    expect(phone.path()).toBeNull();
  });

  test('spaces jump from nowhere too, and a failed one says at which step', async () => {
    const phone = await open();
    await phone.say('#');
    expect(await phone.say('1 1 2')).toContain('请选择部署');
    expect(await phone.say('1 7 2')).toContain('跳转的第 2 步不行');
  });
});

test('a number that is not there is named as a number, however it was typed', async () => {
  const phone = await open();
  for (const line of ['１２', '１２。', '十二', '⑿'])
    expect(await phone.say('1', line), line).toContain('没有选项 12。\n');
});

test('words that leave do so at once, unless the list that is shown has an item of that name', () => {
  const menu = { kind: 'menu', page: 0 } as const;
  const list = { kind: 'choice', pins: [{ key: 'exit', label: 'exit' }], more: false, page: 0 } as const;
  for (const word of ['#', '退出', 'exit', 'quit', '退出。']) expect(isLeaving(menu, word), word).toBe(true);
  for (const word of ['#', '退出', 'quit', '退出。']) expect(isLeaving(list, word), word).toBe(true);
  expect(isLeaving(list, 'exit')).toBe(false);
});

describe('the path keeps plain digits', () => {
  test.each([
    [['１', '１', '２', '１', '３'], '1-1-2-1-3'],
    [['①', '一', '2.', '１', '三'], '1-1-2-1-3'],
    [['1', '1', '2', 'ｗｅｂ', '００'], '1-1-2-web-00'],
    [['１－１－２－１－３'], '1-1-2-1-3'],
    [['1', '２', '１２'], '1-2-１２'],
  ])('%j → %s', async (lines, path) => {
    const phone = await open();
    await phone.say(...lines);
    expect(phone.path()).toBe(path);
  });

  test('of a code too', async () => {
    const asks = { pin: code('验证码', { digits: 4 }), more: text('还有') };
    const menu = treeOf({
      'index.ts': folder({ title: '首页' }),
      '1-ask.ts': action({ title: '问', ask: asks, run: () => '' }),
    });
    const phone = await phoneWith(menu, { ops: fakeOps({}) });
    await phone.say('1', '０４８２');
    expect(phone.path()).toBe('1-0482');
  });
});
