import { expect, test } from 'vitest';
import { fakeOps, phoneWith } from '#test/phone.ts';
import { treeOf } from '#test/tree.ts';
import { action, choice, folder, table } from '../../src/menu/index.ts';
import { sentences } from '../../src/menu/words/sentences.ts';

const away = '命名空间 pay：集群连不上';
const notRead = sentences.unread(away);

/** A phone at a list of names and of what could not be read, both of which a test changes. */
async function phoneAt(names: string[], unread: string[]) {
  const listed = () => Object.assign([...names], unread.length > 0 ? { unread: [...unread] } : {});
  const tree = treeOf({
    'index.ts': folder({ title: '首页' }),
    '1-pick.ts': action({
      title: '选',
      ask: { one: choice('选', async () => listed()) },
      run: (_, { one }) => `chose ${one}.`,
    }),
    '2-all.ts': action({ title: '全部', run: () => table(listed()) }),
    '3-some.ts': action({
      title: '一些',
      run: () => table(listed(), (name) => (name === 'web' ? undefined : `<${name}>`)),
    }),
  });
  return phoneWith(tree, { ops: fakeOps({}) });
}

test('what could not be read stands above a list, and its numbers are those of the list', async () => {
  const phone = await phoneAt(['web', 'cart'], [away]);
  expect(await phone.say('1')).toMatch(new RegExp(`^${notRead}\n\n[\\s\\S]*1 web\n2 cart`));
  expect(await phone.say('2')).toContain('chose cart.');
});

test('it stands there on the way back to the first page, too', async () => {
  const phone = await phoneAt(
    Array.from({ length: 25 }, (_, i) => `web-${i}`),
    [away],
  );
  await phone.say('1');
  expect(await phone.say('n')).not.toContain(notRead);
  expect(await phone.say('p')).toContain(notRead);
});

test('it stands above a table, and a table of nothing else does not say that there is nothing', async () => {
  const phone = await phoneAt(['web', 'cart'], [away]);
  expect(await phone.say('2')).toContain(`${notRead}\nweb\ncart`);
  expect(await phone.say('*', '3')).toContain(`${notRead}\n<cart>`);
  const empty = await phoneAt([], [away]);
  const reply = await empty.say('2');
  expect(reply).toContain(notRead);
  expect(reply).not.toContain(sentences.emptyTable);
});

test('what was chosen and cannot be read any more is not said to be gone', async () => {
  const names = ['web', 'cart'];
  const unread: string[] = [];
  const phone = await phoneAt(names, unread);
  await phone.say('1');
  names.pop();
  unread.push(away);
  const reply = await phone.say('2');
  expect(reply).toContain(`${sentences.notSeen('cart')}\n${notRead}`);
  expect(reply).not.toContain(sentences.gone('cart'));
  expect(reply).toContain('1 web');
});

test('a list of which nothing could be read says so, not that there is nothing to choose', async () => {
  const phone = await phoneAt([], [away]);
  expect(await phone.say('1')).toContain(notRead);
});

test('a jump to what could not be read says so', async () => {
  const phone = await phoneAt(['web'], [away]);
  expect(await phone.say('1-settle')).toContain(notRead);
});
