import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { isRunning } from '#test/demo.ts';
import { RIGHTS } from '../../src/sandbox/process.ts';
import { answering, ROOT, type Sandboxed, sandboxed } from './sandboxed.ts';

const opened: Sandboxed[] = [];
afterAll(() => {
  for (const each of opened) each.close();
});

/** The processes that this one has started, and that run. */
function children(of = process.pid): readonly number[] {
  const ids = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name));
  return ids.map(Number).filter((id) => {
    try {
      const [state, parent] = (readFileSync(`/proc/${id}/stat`, 'utf8').split(') ')[1] ?? '').split(' ');
      return Number(parent) === of && state !== 'Z';
    } catch {
      return false;
    }
  });
}

/** Only Linux says of each process who has started it. */
describe.skipIf(!existsSync('/proc/self/stat'))('the process of the menus', () => {
  const others = children();
  const own = () => children().filter((id) => !others.includes(id));
  const one = { 'index.ts': ROOT, '1-a.ts': answering(`return 'one';`) };

  test('has no rights and nothing of the environment but the zone of the clock', async () => {
    const menu = sandboxed(one);
    opened.push(menu);
    await menu.load();
    await expect.poll(own).toHaveLength(1);
    const said = (file: string) => readFileSync(`/proc/${own()[0]}/${file}`, 'utf8').split('\0').slice(0, -1);
    expect(said('environ')).toEqual([expect.stringMatching(/^TZ=/)]);
    expect(said('cmdline').slice(1)).toEqual([
      ...RIGHTS,
      '--max-old-space-size=256',
      '--input-type=module',
      '-',
    ]);
    menu.close();
    opened.pop();
    await expect.poll(own).toEqual([]);
  });

  test('is one for a generation, and none is started for what is loaded already', async () => {
    const menu = sandboxed(one);
    opened.push(menu);
    await menu.load();
    await expect.poll(own).toHaveLength(1);
    const first = own();
    await menu.load();
    expect(own()).toEqual(first);
    menu.write('1-a.ts', answering(`return 'two';`));
    await menu.load();
    await expect.poll(own).toHaveLength(2);
    menu.close();
    opened.pop();
    await expect.poll(own).toEqual([]);
  });

  test('ends when nobody calls, and another answers the next call', async () => {
    const menu = sandboxed(one, { idleMs: 300 });
    opened.push(menu);
    const tree = await menu.load();
    await expect.poll(own).toEqual([]);
    expect(await (await menu.phone(tree)).say('1')).toContain('one');
    await expect.poll(own).toEqual([]);
    expect(menu.stopped).toEqual([]);
  });

  test('that is killed while nothing is open is told of, and another answers', async () => {
    const menu = sandboxed(one);
    opened.push(menu);
    const tree = await menu.load();
    await expect.poll(own).toHaveLength(1);
    process.kill(own()[0] as number, 'SIGKILL');
    await expect.poll(() => menu.stopped).toEqual([expect.stringContaining('undefined: it ended (SIGKILL)')]);
    expect(await (await menu.phone(tree)).say('1')).toContain('one');
  });

  test('does not outlive the bot, however that ends', async () => {
    const sandbox = new URL('../../src/sandbox/sandbox.ts', import.meta.url).href;
    const program = `const { createSandbox } = await import(${JSON.stringify(sandbox)});
      await createSandbox({ onStopped() {}, now: Date.now }).loadFiles('menus');
      console.log('loaded');`;
    const bot = spawn(process.execPath, ['--input-type=module', '-e', program]);
    await once(bot.stdout, 'data');
    const menus = children(bot.pid);
    expect(menus.length).toBeGreaterThan(0);
    bot.kill('SIGKILL');
    await expect.poll(() => menus.filter(isRunning)).toEqual([]);
  });
});

test('an answer that is there counts, also where the bot itself has stood still for longer than one may take', async () => {
  const menu = sandboxed({ 'index.ts': ROOT, '1-a.ts': answering(`return 'one';`) }, { busyMs: 1500 });
  opened.push(menu);
  const phone = await menu.phone(await menu.load());
  await phone.say('1', '0');
  const answer = phone.say('1');
  // The call is on its way when this process stands still; it blocks its own timers, and nothing else does.
  await new Promise(setImmediate);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1600);
  expect(await answer).toContain('one');
  expect(menu.stopped).toEqual([]);
});
