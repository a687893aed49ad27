import { describe, expect, test } from 'vitest';
import { fakeOps, phoneWith } from '#test/phone.ts';
import { treeOf } from '#test/tree.ts';
import { action, code, folder, integer, port, text } from '../../src/menu/index.ts';
import { sentences } from '../../src/menu/words/sentences.ts';
import { cluster, open } from './shop.ts';

describe('back', () => {
  /** The lines that lead to each kind of screen, and the path one step before it. */
  const screens = [
    ['a list', ['1', '1', '2'], '1-1'],
    ['a menu', ['1', '1'], '1'],
    ['a number question', ['1', '1', '2', 'web'], '1-1-2'],
    ['a text question', ['1', '2'], '1'],
    ['a preview', ['1', '1', '2', 'web', '3'], '1-1-2-web'],
    ['a preview with a code', ['1', '1', '3', 'web'], '1-1-3'],
    ['a text', ['1', '9'], '1'],
  ] as const;

  test.each(screens)('* goes one step back from %s, and its key line says so', async (_, lines, path) => {
    for (const key of ['*', '＊', ' * ', '返回']) {
      const phone = await open();
      expect((await phone.say(...lines)).split('\n').at(-1)).toMatch(/^(0\/)?\* 返回 {2}# 退出 {2}\? 帮助$/);
      await phone.say(key);
      expect(phone.path(), key).toBe(path);
    }
  });

  test('after an outcome * leads to the menu, as 0 does', async () => {
    for (const key of ['*', '0']) {
      const phone = await open();
      expect(await phone.say('1', '1', '2', 'web', '3', '1')).toContain('0/* 返回');
      expect(await phone.say(key)).toContain('2 扩缩容');
    }
  });

  test('at the first screen * says that there is nothing before it', async () => {
    const phone = await open();
    expect(await phone.say('*')).toContain(sentences.atTop);
  });
});

describe('zero at a number question', () => {
  test('whoever presses 0 to get out ends at no preview: the question says how to go back and how to say zero', async () => {
    const { ops } = cluster('web');
    const phone = await open(ops);
    const question = await phone.say('1', '1', '2', '1');
    expect(question).toContain('副本数（0–50，要填 0 输入 00）');
    for (const zero of ['0', '０', ' 0 ']) {
      const reply = await phone.say(zero);
      expect(reply).toContain(sentences.zeroIsAnAnswer('00'));
      expect(reply).toContain(question);
      expect(phone.path()).toBe('1-1-2-1');
    }
    expect(await phone.say('*')).toContain('请选择部署');
  });

  test('00 is zero, and so is a 0 in a jump, where it cannot mean back', async () => {
    for (const lines of [['1', '1', '2', '1', '00'], ['1-1-2-1-0'], ['1-1-2-1-00']]) {
      const phone = await open();
      expect(await phone.say(...lines), lines[0]).toContain('副本 2 → 0');
    }
  });

  test('000 and -0 are no way to say it', async () => {
    const phone = await open();
    await phone.say('1', '1', '2', '1');
    for (const typed of ['000', '-0', '0.', '0x0'])
      expect(await phone.say(typed), typed).toContain('请输入 0 到 50');
  });

  const asking = (question: Parameters<typeof folder>[0]['ask']) =>
    treeOf({
      'index.ts': folder({ title: '首页' }),
      '1-ask.ts': action({ title: '问', ask: question as never, run: (_, given) => JSON.stringify(given) }),
    });

  test('where zero is no answer, 0 goes back', async () => {
    for (const question of [integer('几', { min: 1, max: 9 }), port('端口'), code('验证码')]) {
      const phone = await phoneWith(asking({ given: question }), { ops: fakeOps({}) });
      expect(await phone.say('1')).not.toContain('00');
      await phone.say('0');
      expect(phone.path()).toBe('');
    }
  });

  test('a question of an author that takes zero is as careful', async () => {
    const own = {
      question: '几',
      parse: (typed: string) => (/^\d+$/.test(typed) ? Number(typed) : { problem: '数字' }),
    };
    const phone = await phoneWith(asking({ given: own }), { ops: fakeOps({}) });
    expect(await phone.say('1', '0')).toContain(sentences.zeroIsAnAnswer('00'));
    expect(await phone.say('00')).toContain('{"given":0}');
  });

  const parsing = (parse: (typed: string) => unknown) => ({ question: '几', parse });
  const wrong = { problem: '数字' };

  test.each([
    ['that takes 0 and not 00', parsing((typed) => (typed === '0' ? 0 : wrong)), '00', 0],
    ['whose zero is a text', parsing((typed) => (/^00?$/.test(typed) ? '0' : wrong)), '00', '0'],
    [
      'whose zero is an object',
      parsing((typed) => (/^\d+$/.test(typed) ? { n: Number(typed) } : wrong)),
      '00',
      { n: 0 },
    ],
    ['of a number', integer('几', { min: -1, max: 1 }), '零', 0],
    ['to whom 00 is another answer', text('数量', { pattern: /^\d+$/ }), '零', '0'],
    ['to whom 00 is another answer', text('数量', { pattern: /^\d+$/ }), '〇', '0'],
    ['to whom 00 is another answer', text('数量', { pattern: /^\d+$/ }), '00', '00'],
  ])('at a question %s, 0 runs nothing and says how zero is typed', async (_, question, zero, value) => {
    const phone = await phoneWith(asking({ given: question }), { ops: fakeOps({}) });
    await phone.say('1');
    for (const typed of ['0', '０', '0']) {
      expect(await phone.say(typed)).toMatch(/这里的 0 也可能是要填的数.*要填 0 请输入 (00|零)，/);
      expect(phone.path()).toBe('1');
    }
    expect(await phone.say(zero)).toContain(JSON.stringify({ given: value }));
  });

  test('the sentence names a way that works there', async () => {
    const phone = await phoneWith(asking({ given: text('数量', { pattern: /^\d+$/ }) }), {
      ops: fakeOps({}),
    });
    expect(await phone.say('1', '0')).toContain(sentences.zeroIsAnAnswer('零'));
  });

  test('where letters are answers too, 0 is one', async () => {
    for (const question of [text('名字'), text('名字', { pattern: /^[a-z0-9]+$/ })]) {
      const phone = await phoneWith(asking({ given: question }), { ops: fakeOps({}) });
      expect(await phone.say('1', '0')).toContain('{"given":"0"}');
    }
  });
});
