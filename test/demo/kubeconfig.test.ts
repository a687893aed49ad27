import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { asDemoContext } from '../../demo/kubeconfig.ts';
import { loadKubeconfig } from '../../src/ops/kubeconfig/kubeconfig.ts';
import { createReadings } from '../../src/ops/kubeconfig/readings.ts';

const directory = mkdtempSync(join(tmpdir(), 'keypad-demo-context-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function written(name: string, content: object): string {
  writeFileSync(join(directory, name), stringify(content));
  return join(directory, name);
}
const context = (name: string, cluster: string) => ({
  name,
  context: { cluster, user: 'u', namespace: 'n' },
});
const cluster = (name: string) => ({ name, cluster: { server: `https://${name}.example` } });
const users = [{ name: 'u', user: { tokenFile: 'token' } }];

test('the current context is that of the first file that has one, and all it says is read by the platform', async () => {
  writeFileSync(join(directory, 'token'), 'rotated');
  const none = written('none', { users, clusters: [cluster('007')] });
  const first = written('first', { 'current-context': '1e3', contexts: [context('1e3', '007')] });
  // It has a context of the same name, and one called as the demo's.
  const contexts = [context('1e3', 'other'), context('demo', 'other')];
  const second = written('second', { 'current-context': 'demo', contexts, clusters: [cluster('other')] });
  const { text, paths } = await asDemoContext(`${none}::${first}:${second}`);
  const demo = join(directory, 'demo');
  writeFileSync(demo, text);
  expect((await loadKubeconfig(`${demo}:${paths}`, createReadings().read)).get('demo')).toMatchObject({
    cluster: { server: 'https://007.example' },
    user: { login: { headers: { authorization: 'Bearer rotated' } } },
  });
});

test.each<[string, object, RegExp]>([
  ['no current context', { contexts: [] }, /^KUBECONFIG=.* has no current context\.$/],
  ['a current context that is not there', { 'current-context': 'c' }, /^KUBECONFIG has no context "c"$/],
  [
    'a login that is not supported',
    {
      'current-context': 'c',
      contexts: [context('c', 'here')],
      clusters: [cluster('here')],
      users: [{ name: 'u', user: { username: 'u' } }],
    },
    /^KUBECONFIG: .*users: "u": username: is not supported here/,
  ],
])('%s is refused in one sentence', async (name, content, why) => {
  await expect(asDemoContext(written(name.replaceAll(' ', '-'), content))).rejects.toThrow(why);
});
