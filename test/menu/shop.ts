import { fakeOps, type Phone, phoneWith } from '#test/phone.ts';
import { treeOf } from '#test/tree.ts';
import { action, choice, folder, integer, operation, text } from '../../src/menu/index.ts';

/** A platform whose list a test can change between a screen and a digit. */
export function cluster(...names: string[]) {
  const listed = [...names];
  const ops = fakeOps({
    'units.list': () => ['电商', '支付'],
    'k8s.deployments.list': () => listed.map((name) => ({ key: `shop/${name}`, label: `${name} 2/2`, name })),
    'k8s.scale': {
      lines: ({ name, replicas }: { name: string; replicas: number }) => [name, `副本 2 → ${replicas}`],
      run: ({ name, replicas }: { name: string; replicas: number }) => `${name} 2 → ${replicas}`,
    },
    'k8s.restart': {
      lines: ({ name }: { name: string }) => [`重启 ${name}`],
      code: '0482',
      run: () => '已重启',
    },
  });
  return { listed, ops };
}

const root = folder({
  title: '请选择事业部',
  ask: { unit: choice('请选择事业部', ({ ops }) => ops.call('units.list', {})) },
});
const which = () =>
  choice('请选择部署', ({ ops }, { unit }: { unit: string }) => ops.call('k8s.deployments.list', { unit }));
/** A small menu with every kind of entry: a list and a number, a code, free text, what is hidden, a long text. */
export const tree = treeOf({
  'index.ts': root,
  '1-k8s/index.ts': folder({ title: 'Kubernetes' }),
  '1-k8s/2-scale.ts': operation(root, {
    title: '扩缩容',
    runs: 'k8s.scale',
    ask: { deployment: which(), replicas: integer('副本数', { min: 0, max: 50 }) },
    input: ({ unit, deployment, replicas }) => ({ unit, namespace: 'shop', name: deployment.name, replicas }),
  }),
  '1-k8s/3-restart.ts': operation(root, {
    title: '重启',
    runs: 'k8s.restart',
    ask: { deployment: which() },
    input: ({ unit, deployment }) => ({ unit, namespace: 'shop', name: deployment.name }),
  }),
  '2-note.ts': action({
    title: '记一笔',
    ask: { note: text('写什么') },
    run: (_, { note }) => `记下：${note}`,
  }),
  '3-hidden.ts': action({ title: '看不见', needs: 'mysql.processlist', run: () => '秘密' }),
  '4-empty/index.ts': folder({ title: '空菜单' }),
  '4-empty/1-hidden.ts': action({ title: '看不见二', needs: 'mysql.kill', run: () => '秘密' }),
  '9-long.ts': action({ title: '长文', run: () => '很长的一行。\n'.repeat(400) }),
});
/** A phone at the first screen of that menu. */
export function open(ops = cluster('web', 'cart').ops): Promise<Phone> {
  return phoneWith(tree, { ops });
}
