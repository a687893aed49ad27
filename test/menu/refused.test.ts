import { expect, test } from 'vitest';
import type { Context } from '../../src/menu/tree/context.ts';
import type { Session } from '../../src/menu/turn/session.ts';
import { takeTurn } from '../../src/menu/turn/turn.ts';
import { cluster, tree } from './shop.ts';

const NOW = 1_767_225_600_000;
const { ops } = cluster('web');

/** What somebody may who may scale and list, unless told otherwise. */
function context(parts: Partial<Context> = {}): Context {
  return {
    user: 'zhangsan',
    now: NOW,
    replyBytes: 2048,
    ops: {
      call: async (name: string) => (name === 'units.list' ? ['电商'] : []),
    } as unknown as Context['ops'],
    may: ops.may,
    preview: async () => ({ id: '1', hash: 'h', lines: ['副本 2 → 3'], expiresAt: NOW }),
    run: async () => ({ text: 'never' }),
    ...parts,
  };
}

async function walk(lines: readonly string[], contexts: readonly Context[] = []) {
  let session: Session | null = null;
  let refused: unknown;
  for (const [index, line] of lines.entries()) {
    const turn = await takeTurn(tree, session, line, contexts[index] ?? context());
    if (turn.session !== 'same') session = turn.session;
    refused = turn.refused;
  }
  return refused;
}

test('an entry that its user may not see is named when it is typed', async () => {
  expect(await walk(['hi', '1', '3'])).toEqual({ kind: 'hidden', at: '3-hidden.ts' });
});

test('and when it is jumped to, from the first screen and from any other', async () => {
  expect(await walk(['1-3'])).toEqual({ kind: 'hidden', at: '3-hidden.ts' });
  expect(await walk(['hi', '1', '1-4-1'])).toMatchObject({ kind: 'hidden' });
});

test('what is not there, and what is allowed, is no refusal', async () => {
  expect(await walk(['hi', '1', '8'])).toBeUndefined();
  expect(await walk(['hi', '1', '1'])).toBeUndefined();
  expect(await walk(['1-8'])).toBeUndefined();
});

test('a right that was taken away since the screen was shown is one, with the path of the user', async () => {
  const without = context({ may: () => false });
  expect(await walk(['hi', '1', '1', '2'], [context(), context(), context(), without])).toEqual({
    kind: 'rights',
    at: '1-1',
  });
});

test('a preview that is confirmed too late is one', async () => {
  const deployments = [{ key: 'shop/web', label: 'web', name: 'web' }];
  const call = async (name: string) => (name === 'units.list' ? ['电商'] : deployments);
  const at = (now: number) => context({ now, ops: { call } as unknown as Context['ops'] });
  const lines = ['1-1-2-1-3', '1'];
  expect(await walk(lines, [at(NOW), at(NOW)])).toBeUndefined();
  expect(await walk(lines, [at(NOW), at(NOW + 1)])).toEqual({ kind: 'expired', at: '1-k8s/2-scale.ts' });
});

test('digits that are not the confirmation code are one, other words are not, and the right ones run', async () => {
  const deployments = [{ key: 'shop/web', label: 'web', name: 'web' }];
  const call = async (name: string) => (name === 'units.list' ? ['电商'] : deployments);
  const coded = context({
    ops: { call } as unknown as Context['ops'],
    preview: async () => ({ id: '1', hash: 'h', lines: ['重启'], expiresAt: NOW, code: '0482' }),
  });
  const typed = (line: string) => walk(['1-1-3-1', line], [coded, coded]);
  const refused = { kind: 'code', at: '1-k8s/3-restart.ts' };
  for (const wrong of ['1', '0481', '０４８１']) {
    expect(await typed(wrong), wrong).toEqual(refused);
  }
  for (const line of ['0482', '你好', '取消', '?']) expect(await typed(line), line).toBeUndefined();
});
