import { expect, test } from 'vitest';
import { createHistory } from '../../../demo/wecom/history.ts';

const push = (user: string, text: string) =>
  ({ user, direction: 'in', kind: 'push', text, msgid: 'm' }) as const;

test('only the last messages of each member are kept', () => {
  const history = createHistory(() => 1000, 2);
  for (const text of ['一', '二', '三']) history.add(push('lisi', text));
  history.add(push('wangwu', '四'));
  expect(history.list('lisi').map(({ text }) => text)).toEqual(['二', '三']);
  expect(history.list('wangwu')).toHaveLength(1);
});

test('ids grow over members and over a restart, so the later ones can be asked for', () => {
  const before = createHistory(() => 1000);
  const last = before.add(push('lisi', '一'));
  const after = createHistory(() => 2000);
  after.add(push('lisi', '二'));
  after.add(push('wangwu', '三'));
  after.add(push('lisi', '四'));
  expect(after.after(last.id).map(({ text }) => text)).toEqual(['二', '三', '四']);
  expect(after.after(after.list('wangwu')[0]?.id ?? 0).map(({ text }) => text)).toEqual(['四']);
});

test('a listener hears each message until it stops listening', () => {
  const history = createHistory(() => 1000);
  const heard: string[] = [];
  const stop = history.subscribe(({ text }) => heard.push(text));
  history.add(push('lisi', '一'));
  stop();
  history.add(push('lisi', '二'));
  expect(heard).toEqual(['一']);
});
