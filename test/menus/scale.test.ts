import { expect, test } from 'vitest';
import { fakeOps, phoneWith } from '#test/phone.ts';

const web = {
  key: 'shop/web',
  label: 'web  2/2 就绪',
  namespace: 'shop',
  name: 'web',
  replicas: 2,
  ready: 2,
  image: 'web:1',
};
const cart = { ...web, key: 'shop/cart', label: 'cart  3/3 就绪', name: 'cart', replicas: 3, ready: 3 };

const shop = () =>
  fakeOps({
    'units.list': () => ['电商', '支付'],
    'k8s.deployments.list': () => [web, cart],
    'k8s.scale': {
      lines: ({ name, replicas }: { name: string; replicas: number }) => [`${name}`, `副本 2 → ${replicas}`],
      run: ({ replicas }: { replicas: number }) => `2 → ${replicas}，${replicas} 个就绪`,
    },
  });

test('a person types their way to a scaled deployment', async () => {
  const ops = shop();
  const phone = await phoneWith('menus', { ops });
  expect(await phone.say('1', '1', '2')).toContain('1 web  2/2 就绪\n2 cart  3/3 就绪');
  expect(await phone.say('1', '3')).toContain('副本 2 → 3');
  expect(phone.path()).toBe('1-1-2-1-3');
  expect(await phone.say('1')).toContain('2 → 3，3 个就绪');
  expect(ops.calls.at(-1)).toEqual([
    'k8s.scale',
    { unit: '电商', namespace: 'shop', name: 'web', replicas: 3 },
  ]);
  expect(await phone.say('0')).toContain('2 扩缩容');
});

test('a name in the list may be typed instead of its number', async () => {
  const phone = await phoneWith('menus', { ops: shop() });
  expect(await phone.say('电商', '1', '2', 'web', '3')).toContain('2 → 3');
});
