import { expect, test } from 'vitest';
import { Unavailable } from '../../src/menu/index.ts';
import { sentences } from '../../src/menu/words/sentences.ts';
import { cluster, open, tree } from './shop.ts';

test('a number means the option that was shown, wherever it stands in the list by now', async () => {
  const { listed, ops } = cluster('web', 'cart');
  const phone = await open(ops);
  await phone.say('1', '1', '2');
  listed.unshift('admin');
  expect(await phone.say('1', '3')).toContain('web\n副本 2 → 3');
});

test('an option that is gone is not chosen: it says so and shows the fresh list', async () => {
  const { listed, ops } = cluster('web', 'cart');
  const phone = await open(ops);
  await phone.say('1', '1', '2');
  listed.splice(0, 2, 'cart', 'new');
  const reply = await phone.say('1');
  expect(reply).toContain('web 2/2” 已不在列表中');
  expect(reply).toContain('1 cart 2/2\n2 new 2/2');
  expect(phone.path()).toBe('1-1-2');
  expect(await phone.say('1', '5')).toContain('cart\n副本 2 → 5');
});

test('a bad choice answers why and the same screen, and changes nothing', async () => {
  const phone = await open();
  const screen = await phone.say('1', '1');
  const before = phone.session();
  for (const typed of [
    '7',
    '1_0',
    '1e1',
    '٣',
    '01',
    '1.0',
    '-1',
    '+1',
    '扩缩',
    '3-',
    '-3',
    '99999',
    ' ',
    '<b>',
  ]) {
    const reply = await phone.say(typed);
    expect(reply, typed).toContain(screen);
    expect(reply, typed).not.toBe(screen);
    expect(phone.session(), typed).toEqual(before);
  }
});

test('full-width forms and surrounding spaces are the same as plain ones', async () => {
  const phone = await open();
  expect(await phone.say(' １ ', '１', '　２　')).toContain('请选择部署');
  expect(await phone.say('？')).toContain(sentences.helpText);
  expect(await phone.say('１－１')).toContain('2 扩缩容');
  expect(await phone.say('＃')).toBe(sentences.bye);
});

test('0 and 返回 go one step back, # and 退出 end the session, ? and 帮助 help', async () => {
  const phone = await open();
  await phone.say('1', '1', '2');
  await phone.say('0');
  expect(phone.path()).toBe('1-1');
  await phone.say('返回');
  expect(phone.path()).toBe('1');
  expect(await phone.say('帮助')).toContain(sentences.helpText);
  await phone.say('0', '0');
  expect(phone.path()).toBe('');
  await phone.say('退出');
  expect(phone.path()).toBeNull();
});

test('with no session any message shows the first screen and does nothing else', async () => {
  const phone = await open();
  for (const typed of ['1', '0', '#', '?', 'n', '你好', '2']) {
    await phone.say('#');
    expect(await phone.say(typed), typed).toContain('1 电商\n2 支付');
    expect(phone.path(), typed).toBe('');
  }
});

test('in a free-text question 0 is an answer, and so are n, p and dashes; the words and # still leave', async () => {
  for (const typed of ['0', 'n', 'p', '1-1-2', 'web-api 100%', 'ＡＢ']) {
    const phone = await open();
    await phone.say('1', '2');
    expect(await phone.say(typed), typed).toContain(`记下：${typed}`);
  }
  const phone = await open();
  await phone.say('1', '2', '返回');
  expect(phone.path()).toBe('1');
  await phone.say('2', '#');
  expect(phone.path()).toBeNull();
});

test('a segment of the path is percent-encoded', async () => {
  const phone = await open();
  await phone.say('1', '2', 'web-api 100%');
  expect(phone.path()).toBe('1-2-web%2Dapi 100%25');
});

test('a question checks the answer and asks again', async () => {
  const phone = await open();
  await phone.say('1', '1', '2', '1');
  for (const typed of ['51', '-1', '1e1', '1_0', '٣', '2.5', '']) {
    expect(await phone.say(typed), typed).toContain('请输入 0 到 50 的整数');
    expect(phone.path(), typed).toBe('1-1-2-1');
  }
  expect(await phone.say('００')).toContain('副本 2 → 0');
});

test('an entry that needs what the user may not do is not shown and cannot be typed', async () => {
  const phone = await open();
  expect(await phone.say('1')).not.toContain('看不见');
  expect(await phone.say('3')).toContain('没有选项 3');
  expect(await phone.say('1-3')).toContain('没有选项 3');
});

test('a menu of which nothing is left is not shown and cannot be typed', async () => {
  const phone = await open();
  expect(await phone.say('1')).not.toContain('空菜单');
  expect(await phone.say('4')).toContain('没有选项 4');
  expect(await phone.say('1-4')).toContain('没有选项 4');
});

test('a right that is gone in the middle of the way ends it there', async () => {
  const { ops } = cluster('web');
  let revoked = false;
  const phone = await open({ ...ops, may: (name, answers) => !revoked && ops.may(name, answers) });
  await phone.say('1', '1', '2');
  revoked = true;
  expect(await phone.say('1')).toContain(sentences.notAllowedAnyMore);
  expect(phone.path()).toBe('');
});

test('a jump walks from the first screen as if every step were typed, and names what it chose', async () => {
  const phone = await open();
  await phone.say('2', '9');
  expect(await phone.say('1-1-2-2-7')).toContain('电商 › Kubernetes › 扩缩容 › cart › 7');
  expect(phone.path()).toBe('1-1-2-2-7');
  await phone.say('#');
  expect(await phone.say('1-1-2')).toContain('请选择部署');
});

test('a jump finds a name with dashes of its own, and names the ways where there are several', async () => {
  const phone = await open(cluster('web', 'web-api', 'web-3', '3-tier').ops);
  expect(await phone.say('1-1-2-web-api-5')).toContain('副本 2 → 5');
  expect(phone.path()).toBe('1-1-2-web%2Dapi-5');
  expect(await phone.say('#', '1-1-3-3-tier')).toContain('重启 3-tier');
  expect(await phone.say('#', '1-1-2-web-3-5')).toContain('web-3\n副本 2 → 5');
  const several = await phone.say('#', '1-1-2-web-3');
  expect(several).toContain('扩缩容 › web › 3；电商 › Kubernetes › 扩缩容 › web-3。');
  expect(several).not.toContain('副本 2 →');
});

test('a jump never confirms, and never leaves out what stands behind a preview', async () => {
  const { ops } = cluster('web');
  const phone = await open(ops);
  // Whoever means `web-3` and 5 must not see a preview of `web` and 3.
  for (const typed of ['1-1-2-1-3-1', '1-1-2-web-3-5']) {
    const reply = await phone.say(typed);
    expect(reply).toContain(`跳转的第 6 步不行：${sentences.confirmFirst}`);
    expect(reply).not.toContain('副本 2 → 3');
    expect(phone.path()).toBe('');
  }
  expect(ops.calls.map(([name]) => name)).not.toContain('k8s.scale');
});

test('a jump that fails says at which step and changes nothing', async () => {
  const phone = await open();
  await phone.say('1', '1');
  for (const [typed, step] of [
    ['1-7-2', 2],
    ['9-1', 1],
    ['1-1-2-5', 4],
    ['1-1-2-1-99', 5],
    ['1-9-1', 3],
  ] as const) {
    expect(await phone.say(typed), typed).toContain(`跳转的第 ${step} 步不行`);
    expect(phone.path(), typed).toBe('1-1');
  }
});

test('1 confirms a preview; anything else leaves it standing', async () => {
  const { ops } = cluster('web');
  const phone = await open(ops);
  await phone.say('1', '1', '2', '1', '3');
  for (const typed of ['2', '3', 'y', '1 1', '11', 'n', '确认']) {
    expect(await phone.say(typed), typed).toContain('副本 2 → 3');
  }
  expect(ops.calls.filter(([name]) => name === 'k8s.scale')).toEqual([]);
  expect(await phone.say('１')).toContain('web 2 → 3');
  expect(ops.calls.filter(([name]) => name === 'k8s.scale')).toHaveLength(1);
});

test('a high risk takes the code that is shown, leading zeros and all', async () => {
  const { ops } = cluster('web');
  const phone = await open(ops);
  expect(await phone.say('1', '1', '3', '1')).toContain('输入确认码 0482 执行');
  expect(await phone.say('1')).toContain(sentences.wrongCode);
  expect(await phone.say('482')).toContain(sentences.wrongCode);
  expect(await phone.say('０４８２')).toContain('已重启');
});

test('after the outcome no digit chooses anything until the menu is shown again', async () => {
  const { ops } = cluster('web');
  const phone = await open(ops);
  await phone.say('1', '1', '2', '1', '3', '1');
  const runs = ops.calls.length;
  expect(await phone.say('1')).toContain(sentences.nothingToType);
  expect(ops.calls).toHaveLength(runs);
  expect(await phone.say('0')).toContain('2 扩缩容');
});

test('a preview older than 120 s is not run: the fresh one is shown', async () => {
  const { ops } = cluster('web');
  const phone = await open(ops);
  await phone.say('1', '1', '2', '1', '3');
  phone.wait(120_001);
  expect(await phone.say('1')).toContain(sentences.previewExpired);
  expect(ops.calls.filter(([name]) => name === 'k8s.scale')).toEqual([]);
  expect(await phone.say('1')).toContain('web 2 → 3');
});

test('when the object moved, the fresh preview must be confirmed again', async () => {
  const { ops } = cluster('web');
  const fresh = { id: '9', hash: 'h9', lines: ['web', '副本 4 → 3'], expiresAt: Number.MAX_SAFE_INTEGER };
  const phone = await open({ ...ops, run: () => ({ text: '部署已变化', fresh }) });
  await phone.say('1', '1', '2', '1', '3');
  const reply = await phone.say('1');
  expect(reply).toContain('部署已变化');
  expect(reply).toContain('副本 4 → 3');
  expect(phone.path()).toBe('1-1-2-1-3');
});

test('what the platform refuses is one sentence, and one stands where one stood', async () => {
  const { ops } = cluster('web');
  let down = false;
  const phone = await open({
    ...ops,
    read: (name, input) => {
      if (down) throw new Unavailable('平台连不上');
      return ops.read(name, input);
    },
  });
  await phone.say('1', '1');
  down = true;
  expect(await phone.say('2')).toContain('平台连不上');
  expect(phone.path()).toBe('1-1');
});

test('a list of nothing is not entered', async () => {
  const phone = await open(cluster().ops);
  await phone.say('1', '1');
  expect(await phone.say('2')).toContain('请选择部署：目前没有可选的项');
  expect(phone.path()).toBe('1-1');
});

test('n and p turn pages, and numbers run on across them', async () => {
  const { ops } = cluster(...Array.from({ length: 23 }, (_, i) => `d${i + 1}`));
  const phone = await open(ops);
  await phone.say('1', '1', '2');
  expect(await phone.say('n')).toContain('11 d11 2/2');
  expect(await phone.say('下一页')).toContain('23 d23 2/2');
  expect(await phone.say('n')).toContain(sentences.noMorePages);
  expect(await phone.say('p')).toContain('11 d11 2/2');
  expect(await phone.say('2')).toContain('› d2\n');
});

test('a long reply is paged, never over 2048 bytes, and nothing of it is lost', async () => {
  const phone = await open();
  let reply = await phone.say('1', '9');
  let lines = 0;
  for (;;) {
    expect(Buffer.byteLength(reply)).toBeLessThanOrEqual(2048);
    lines += reply.split('很长的一行。').length - 1;
    if (!reply.includes(sentences.next)) break;
    reply = await phone.say('n');
  }
  expect(lines).toBe(400);
});

test('a session finishes on the generation it began with, or is told that the menu changed', async () => {
  const phone = await open();
  await phone.say('1', '1');
  phone.reload({ ...tree, generation: 'generation-2' });
  expect(await phone.say('2')).toContain(sentences.menuChanged);
  expect(phone.path()).toBe('');
});
