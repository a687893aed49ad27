import { describe, expect, test } from 'vitest';
import { sentences } from '../../src/menu/words/sentences.ts';
import { cluster, open, tree } from './shop.ts';

const FIRST = '1 电商\n2 支付';
describe('when the menu has changed', () => {
  const stale = [
    ['a list', ['1', '1', '2']],
    ['a question', ['1', '2']],
    ['a preview', ['1-1-2-web-3']],
  ] as const;

  test.each(stale)('# leaves from %s of the old one', async (_, lines) => {
    for (const key of ['#', '退出']) {
      const phone = await open();
      await phone.say(...lines);
      phone.reload({ ...tree, generation: 'generation-2' });
      expect(await phone.say(key)).toBe(sentences.bye);
      expect(phone.path()).toBeNull();
    }
  });

  test.each(stale)('? helps at %s of the old one', async (_, lines) => {
    const phone = await open();
    await phone.say(...lines);
    phone.reload({ ...tree, generation: 'generation-2' });
    const reply = await phone.say('?');
    expect(reply).toContain(sentences.menuChanged);
    expect(reply).toContain(sentences.helpText);
    expect(reply).toContain(FIRST);
  });

  test('# leaves where the right is gone as well', async () => {
    const { ops } = cluster('web');
    let revoked = false;
    const phone = await open({ ...ops, may: (name, answers) => !revoked && ops.may(name, answers) });
    await phone.say('1', '1', '2');
    revoked = true;
    expect(await phone.say('#')).toBe(sentences.bye);
  });
});
