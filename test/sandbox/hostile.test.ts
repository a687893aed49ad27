import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Tree } from '../../src/menu/tree/tree.ts';
import type { ProgramLimits } from '../../src/sandbox/program.ts';
import { answering, ROOT, type Sandboxed, sandboxed } from './sandboxed.ts';

let opened: Sandboxed[] = [];
afterEach(() => {
  for (const each of opened) each.close();
  opened = [];
});
function open(...args: Parameters<typeof sandboxed>): Sandboxed {
  const made = sandboxed(...args);
  opened.push(made);
  return made;
}

const NAMES = [
  ...[
    'fetch',
    'WebSocket',
    'EventSource',
    'XMLHttpRequest',
    'process',
    'require',
    'module',
    'Buffer',
    'global',
  ],
  ...[
    'setTimeout',
    'setInterval',
    'setImmediate',
    'queueMicrotask',
    'structuredClone',
    'MessageChannel',
    'Worker',
  ],
  ...['BroadcastChannel', 'performance', 'navigator', 'crypto', 'URL', 'AbortController', 'ReadableStream'],
  ...['ArrayBuffer', 'SharedArrayBuffer', 'Uint8Array', 'DataView', 'Atomics', 'WebAssembly', 'WeakRef'],
  ...[
    'FinalizationRegistry',
    'CompressionStream',
    'Event',
    'localStorage',
    'sessionStorage',
    'internalBinding',
  ],
];

const refused: Readonly<Record<string, readonly [code: string, why: RegExp]>> = {
  'code from a text': [`eval('1')`, /EvalError: Code generation from strings/],
  'a function from a text': [`new Function('return 1')()`, /EvalError: Code generation/],
  'one by what is handed in': [
    `context.ops.call.constructor('return process')()`,
    /EvalError: Code generation/,
  ],
  'one by what is async': [`(async () => {}).constructor('return 1')()`, /EvalError: Code generation/],
  'one by what generates': [`(function* () {}).constructor('return 1')()`, /EvalError: Code generation/],
  'a module of Node': [`process.getBuiltinModule('fs')`, /ReferenceError: process is not defined/],
  'a binding of Node': [`process.binding('fs')`, /ReferenceError: process is not defined/],
  'the environment': [`process.env.PATH`, /ReferenceError: process is not defined/],
  'a change for all objects': [`Object.prototype.isAdmin = true`, /TypeError: Cannot add property isAdmin/],
  'a change for all lists': [
    `Array.prototype.map = () => []`,
    /TypeError: Cannot assign to read only property/,
  ],
  'a change of what lists are made of': [
    `Object.getPrototypeOf([].values()).next = () => ({ done: true })`,
    /TypeError: Cannot assign to read only property/,
  ],
  'a change of promises': [`Promise.prototype.then = () => {}`, /TypeError: Cannot assign to read only/],
  'a change of JSON': [`JSON.stringify = () => '{}'`, /TypeError: Cannot assign to read only/],
  'a change by another way': [
    `Object.defineProperty(Object.prototype, 'x', { value: 1 })`,
    /TypeError: Cannot define/,
  ],
  'a change of the words of all errors': [`Error.prototype.name = 'x'`, /TypeError: name cannot be changed/],
  'a name for all entries': [`globalThis.shared = 1`, /TypeError: Cannot add property shared/],
  'the frames of those who call': [
    `Error.prepareStackTrace = (_, frames) => frames`,
    /TypeError: Cannot add property/,
  ],
  'a stack without end': [`(function f() { return f() + 1; })()`, /RangeError: Maximum call stack/],
  'another path of the platform': [
    `context.ops.call('../reports', {})`,
    /"\.\.\/reports" is no name of a read/,
  ],
  'what is no name': [`context.ops.call({}, {})`, /is no name of a read/],
};

const others: Readonly<Record<string, string>> = {
  names: `[${NAMES.map((name) => `typeof ${name}`)}].filter((type) => type !== 'undefined').length`,
  global: `Object.getOwnPropertyNames(globalThis).join(' ')`,
  errors: `(async () => {
    let isOurs = true;
    let left = 0;
    const look = (error) => { isOurs &&= error instanceof Error && error.constructor.constructor === Function; };
    const dig = (...more) => {
      try { dig(...more); } catch (error) {
        look(error);
        left -= 1;
        if (left > 0) context.ops.call();
        throw error;
      }
    };
    // Frames of many sizes, so that the stack is full at each step of a call once.
    for (let size = 0; size < 100; size += 1) {
      left = 20;
      try { dig(...Array(size)); } catch (error) { look(error); }
    }
    return isOurs;
  })()`,
  answer: `context.ops.call('x.list', {}).then((list) => [list, list.constructor === Array, context.constructor === Object])`,
  own: `(() => { const error = new Error('x'); error.name = 'Mine'; const thing = {}; thing.toString = () => 'too'; return \`\${error} \${thing}\`; })()`,
};

describe('an entry has no way to', () => {
  const codes = [...Object.values(refused).map(([code]) => code), ...Object.values(others)];
  const names = [...Object.keys(refused), ...Object.keys(others)];
  /** What an entry gets that tries this, or the error that it gets instead. */
  const attempt = (code: string) =>
    answering(`try { return String(await (${code})) } catch (error) { return 'refused: ' + error }`);
  let menu: Sandboxed;
  let tree: Tree;
  beforeAll(async () => {
    const files = codes.map((code, index) => [`${index + 1}-a.ts`, attempt(code)] as const);
    menu = sandboxed({ 'index.ts': ROOT, ...Object.fromEntries(files) });
    tree = await menu.load();
  });
  afterAll(() => menu.close());
  const outcomeOf = async (name: string): Promise<string> => {
    const phone = await menu.phone(tree, { 'x.list': () => ['x'] });
    return (await phone.say(`${names.indexOf(name) + 1}`)).split('\n')[1] ?? '';
  };

  test.each(Object.entries(refused))('%s', async (name, [, why]) => {
    const outcome = await outcomeOf(name);
    expect(outcome).toMatch(/^refused: /);
    expect(outcome).toMatch(why);
  });

  test('anything of Node, or to memory outside of the heap: none of these names means anything', async () => {
    expect(await outcomeOf('names')).toBe('│ 0');
  });

  test('anything but what belongs to the language', async () => {
    const found = (await outcomeOf('global')).split(' ');
    expect(found.filter((name) => !(name in globalThis) || NAMES.includes(name))).toEqual([]);
    expect(found.length).toBeLessThan(60);
  });

  test('an object of the process around it, not even by an error where the stack is full', async () => {
    expect(await outcomeOf('errors')).toBe('true');
  });

  test('what an answer of the platform is made of outside of it', async () => {
    expect(await outcomeOf('answer')).toBe('x,true,true');
  });

  test('but what objects and errors of its own have for names is its own affair', async () => {
    expect(await outcomeOf('own')).toBe('Mine: x too');
  });
});

/** Short, and yet longer than a busy machine stands still. */
const LIMITS = { busyMs: 1000, callMs: 60_000, loadMs: 4000, heapMiB: 48 };
const ENDLESS = 'for (;;);';

/** Long enough that something else runs out first, on the slowest machine. */
const PATIENT = { ...LIMITS, busyMs: 20_000, loadMs: 20_000 };

/** An entry that is stopped, beside one that waits for the platform meanwhile, and one whose turn comes afterwards. */
async function beside(code: string, limits: Partial<ProgramLimits>) {
  const menu = open(
    {
      'index.ts': ROOT,
      '1-a.ts': answering(code),
      '2-b.ts': answering(`return (await context.ops.call('x.list', {})).join()`),
    },
    limits,
  );
  const tree = await menu.load();
  const answer = Promise.withResolvers<readonly string[]>();
  let asked = 0;
  const other = await menu.phone(tree, {
    'x.list': () => {
      asked += 1;
      return answer.promise;
    },
  });
  const waiting = other.say('2');
  await expect.poll(() => asked).toBe(1);
  const reply = await (await menu.phone(tree)).say('1');
  answer.resolve(['here']);
  expect(await waiting).toContain('here');
  expect(await other.say('0', '2')).toContain('here');
  return { reply, menu, asked: () => asked };
}

const endless: Readonly<Record<string, readonly [code: string, why: string]>> = {
  'a loop without end': [ENDLESS, '1-a.ts: it took over 1 s'],
  'one of promises': ['for (;;) await null;', '1-a.ts: it took over 1 s'],
  'one behind its answer': [
    `Promise.resolve().then(() => { ${ENDLESS} }); return 'ok';`,
    '1-a.ts: it took over 1 s',
  ],
  'one while its answer is written': [`return { toJSON() { ${ENDLESS} } };`, '1-a.ts: it took over 1 s'],
  'one in what it throws': [`throw { toString() { ${ENDLESS} } };`, '1-a.ts: it took over 1 s'],
  'one of questions': [`for (;;) context.ops.call('x.list', {}).catch(() => {});`, '1-a.ts: it took over '],
  'a pattern that never ends': [
    `return String(/^(a+)+$/.test('a'.repeat(50) + 'b'));`,
    '1-a.ts: it took over 1 s',
  ],
  'a gigabyte of objects': [
    `const all = []; for (;;) all.push(Array.from({ length: 100000 }, () => ({})));`,
    '1-a.ts: it took over 48 MiB',
  ],
  'a gigabyte of text': [
    `const all = []; for (;;) all.push([...'x'.repeat(9999999)]);`,
    '1-a.ts: it took over 48 MiB',
  ],
  'an answer that is too long': [`return 'x'.repeat(2 ** 24 + 1);`, '1-a.ts: it answered more than fits'],
};

describe('an entry is stopped and named, and all others go on, with', () => {
  for (const [what, [code, why]] of Object.entries(endless)) {
    test(what, async () => {
      const { reply, menu, asked } = await beside(
        code,
        why.endsWith(' s') || why.endsWith('over ') ? LIMITS : PATIENT,
      );
      expect(reply).toContain('这一项的程序出了问题，已被停下，没有执行任何操作。');
      expect(menu.stopped).toEqual([expect.stringContaining(why)]);
      // Who waited was asked once more, in another process, and then as ever.
      expect(asked()).toBe(3);
    });
  }
});

test('an entry that never answers costs nobody else a thing, and is named', async () => {
  const files = { 'index.ts': ROOT, '1-a.ts': answering('await new Promise(() => {});') };
  const menu = open({ ...files, '2-b.ts': answering(`return 'here';`) }, { callMs: 1500 });
  const tree = await menu.load();
  const waiting = (await menu.phone(tree)).say('1');
  expect(await (await menu.phone(tree)).say('2')).toContain('here');
  expect(await waiting).toContain('这一项的程序出了问题');
  expect(menu.stopped).toEqual(['1-a.ts: it did not end within 1.5 s']);
});

test('a promise that an entry forgets, and that fails, ends nothing', async () => {
  const code = `void Promise.reject(new Error('x')); await null; return 'here';`;
  const menu = open({ 'index.ts': ROOT, '1-a.ts': answering(code) }, LIMITS);
  const phone = await menu.phone(await menu.load());
  for (let n = 0; n < 3; n += 1) expect(await phone.say('1', '0', '1')).toContain('here');
  expect(menu.stopped).toEqual([]);
});

test('a pattern of a question that never ends costs the answer that was typed', async () => {
  const text = `import { action, text } from '#menu';
    export default action({ title: 'a', ask: { x: text('x', { pattern: /^(a+)+$/ }) }, run: () => 'ok' });`;
  const menu = open({ 'index.ts': ROOT, '1-a.ts': text }, LIMITS);
  const phone = await menu.phone(await menu.load());
  expect(await phone.say('1', `${'a'.repeat(50)}b`)).toContain('已被停下');
  expect(menu.stopped).toEqual(['1-a.ts: it took over 1 s']);
  expect(await phone.say('aaa')).toContain('ok');
});

test('an entry that was stopped twice within a minute is closed for a minute', async () => {
  const menu = open({ 'index.ts': ROOT, '1-a.ts': answering(ENDLESS) }, LIMITS);
  const phone = await menu.phone(await menu.load());
  expect(await phone.say('1')).toContain('已被停下');
  menu.wait(59_000);
  expect(await phone.say('1')).toContain('已被停下');
  expect(await phone.say('1')).toContain('暂停一分钟');
  expect(menu.stopped).toHaveLength(2);
  menu.wait(60_000);
  expect(await phone.say('1')).toContain('已被停下');
});

test('an entry asks the platform a hundred times, and no more', async () => {
  const code = `for (let n = 1; ; n += 1) { try { await context.ops.call('x.list', {}); } catch (error) { return n + ' ' + error.message; } }`;
  const menu = open({ 'index.ts': ROOT, '1-a.ts': answering(code) });
  const phone = await menu.phone(await menu.load(), { 'x.list': () => [] });
  expect(await phone.say('1')).toContain('101 it asks the platform more than 100 times');
});

const unloadable: Readonly<Record<string, readonly [text: string, problem: string | RegExp]>> = {
  'never ends': [ENDLESS, '1-a.ts: cannot be loaded: it took over 4 s'],
  'awaits what never comes': [
    'await new Promise(() => {});',
    '1-a.ts: cannot be loaded: it awaits something that never comes',
  ],
  'takes a gigabyte': [
    `const all = []; for (;;) all.push([...'x'.repeat(99999)]);`,
    '1-a.ts: cannot be loaded: it took over 48 MiB',
  ],
  throws: [`throw new Error('no');`, '1-a.ts: cannot be loaded: no'],
  'throws what cannot be read': [
    `throw { toString() { throw 1; } };`,
    '1-a.ts: cannot be loaded: what was thrown cannot be read',
  ],
  'uses what is not there': ['process.exit();', '1-a.ts: cannot be loaded: process is not defined'],
  'imports what it may not': [
    `import 'node:fs';`,
    /^1-a\.ts: imports "node:fs"; a menu file imports only #menu/,
  ],
  'breaks what takes types away': ['('.repeat(100_000), /^1-a\.ts: cannot be loaded: .*memory access/],
  'does not parse': ['export default {', /^1-a\.ts: cannot be loaded: /],
};

describe('a file is named, and what was loaded before goes on, where it', () => {
  for (const [what, [text, problem]] of Object.entries(unloadable)) {
    test(what, async () => {
      const limits = problem.toString().endsWith('MiB') ? PATIENT : LIMITS;
      const menu = open({ 'index.ts': ROOT, '1-a.ts': answering(`return 'old';`) }, limits);
      const phone = await menu.phone(await menu.load());
      menu.write('1-a.ts', `${text}\n${answering(`return 'new';`)}`);
      await expect(menu.load()).rejects.toMatchObject({
        problems: [typeof problem === 'string' ? problem : expect.stringMatching(problem)],
      });
      expect(await phone.say('1')).toContain('old');
      menu.write('1-a.ts', answering(`return 'good';`));
      expect(await (await menu.phone(await menu.load())).say('1')).toContain('good');
    });
  }
});
