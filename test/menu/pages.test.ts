import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fakeOps, type Phone, phoneWith } from '#test/phone.ts';
import { treeOf } from '#test/tree.ts';
import { action, choice, folder, operation } from '../../src/menu/index.ts';
import { Unavailable } from '../../src/menu/tree/context.ts';
import { sentences } from '../../src/menu/words/sentences.ts';
import { bytesOf } from '../../src/menu/words/text.ts';
import { QUOTE } from '../../src/plain-text.ts';

const TITLE = '长文';

/** A phone at a text of these lines. */
async function atText(
  lines: readonly string[],
  replyBytes: number,
): Promise<{ phone: Phone; reply: string }> {
  const menu = treeOf({
    'index.ts': folder({ title: '首页' }),
    '1-long.ts': action({ title: TITLE, run: () => lines.join('\n') }),
  });
  const phone = await phoneWith(menu, { ops: fakeOps({}), replyBytes });
  return { phone, reply: await phone.say('1') };
}

/** A phone at a list of these items, which the test may change. */
async function atList(items: string[], replyBytes: number): Promise<{ phone: Phone; reply: string }> {
  const menu = treeOf({
    'index.ts': folder({ title: '首页' }),
    '1-pick.ts': action({
      title: TITLE,
      ask: { one: choice('选一个', async () => [...items]) },
      run: () => 'ok',
    }),
  });
  const phone = await phoneWith(menu, { ops: fakeOps({}), replyBytes });
  return { phone, reply: await phone.say('1') };
}

/** The body of a reply: what stands between the title and the keys. */
function bodyOf(reply: string, titles: number): readonly string[] {
  const lines = reply.split('\n');
  return lines.slice(lines.indexOf(TITLE) + titles, lines.lastIndexOf(''));
}

/** All pages from this one on, as they are read with `n`. */
async function turnAll(phone: Phone, first: string): Promise<readonly string[]> {
  const replies = [first];
  while (replies.at(-1)?.includes(sentences.next)) replies.push(await phone.say('n'));
  return replies;
}

/** Within the limit, and so full that the first line of the next page would not have fitted. */
function expectFull(
  replies: readonly string[],
  bodies: readonly (readonly string[])[],
  bytes: number,
  rows = 1e9,
) {
  for (const [index, reply] of replies.entries()) {
    expect(bytesOf(reply)).toBeLessThanOrEqual(bytes);
    const [next] = bodies[index + 1] ?? [];
    if (next === undefined || (bodies[index]?.length ?? 0) >= rows) continue;
    expect(bytesOf(`${reply}\n${next}`), `page ${index + 1}`).toBeGreaterThan(bytes);
  }
}

const limit = fc.integer({ min: 400, max: 2048 });

test('pages of a text lose no line, are within the limit of the channel, and none could have taken one line more', async () => {
  const line = fc.string({ unit: fc.constantFrom('a', '.', '字', '🙂'), maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 150 }), limit, async (lines, bytes) => {
      const { phone, reply } = await atText(lines, bytes);
      const replies = await turnAll(phone, reply);
      const bodies = replies.map((each) => bodyOf(each, 1));
      expect(bodies.flat()).toEqual(lines);
      expectFull(replies, bodies, bytes);
    }),
    { numRuns: 60 },
  );
});

test('a line longer than a page is cut between characters, and nothing of it is lost', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: 'grapheme-composite', minLength: 500, maxLength: 3000 }),
      limit,
      async (text, bytes) => {
        const line = text.replaceAll(/[\n\v\f\r\u0085\u2028\u2029│]/g, '');
        const { phone, reply } = await atText([line], bytes);
        const replies = await turnAll(phone, reply);
        for (const each of replies) expect(bytesOf(each)).toBeLessThanOrEqual(bytes);
        const parts = replies.flatMap((each) => bodyOf(each, 1));
        expect(parts.map((part) => part.replace(QUOTE, '')).join('')).toBe(line);
      },
    ),
    // To look for a shorter text that fails takes minutes.
    { numRuns: 30, endOnFailure: true },
  );
});

test('a text of ten pages or a little more loses nothing where the count of pages gets its second digit', async () => {
  for (let length = 3220; length <= 3250; length += 1) {
    const text = 'x'.repeat(length);
    const { phone, reply } = await atText([text], 400);
    const replies = await turnAll(phone, reply);
    expect(replies.flatMap((each) => bodyOf(each, 1)).join('')).toBe(text);
    for (const each of replies) expect(bytesOf(each)).toBeLessThanOrEqual(400);
  }
});

test('pages of a list hold ten lines, or as many as fit', async () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'b', '字'), minLength: 1, maxLength: 50 });
  await fc.assert(
    fc.asyncProperty(fc.array(name, { minLength: 1, maxLength: 60 }), limit, async (names, bytes) => {
      const { phone, reply } = await atList(names, bytes);
      const replies = await turnAll(phone, reply);
      const bodies = replies.map((each) => bodyOf(each, 2));
      expect(bodies.flat()).toEqual(names.map((each, index) => `${index + 1} ${each}`));
      expectFull(replies, bodies, bytes, 10);
    }),
    { numRuns: 60 },
  );
});

test('a notice on a full page leaves out lines and says how many; the pages stay where they are', async () => {
  const lines = Array.from({ length: 100 }, (_, i) => `第 ${i + 1} 行，比较长的一行文字`);
  for (const bytes of [500, 2048]) {
    const { phone, reply } = await atText(lines, bytes);
    for (const typed of ['7', '?']) {
      const noticed = await phone.say(typed);
      expect(bytesOf(noticed)).toBeLessThanOrEqual(bytes);
      const shown = bodyOf(noticed, 1);
      const whole = bodyOf(reply, 1);
      expect(shown.at(-1)).toBe(sentences.linesLeftOut(whole.length - shown.length + 1));
      expect(whole.slice(0, shown.length - 1)).toEqual(shown.slice(0, -1));
    }
    const replies = await turnAll(phone, reply);
    expect(replies.flatMap((each) => bodyOf(each, 1))).toEqual(lines);
  }
});

test('a list that begins under a notice loses no item: its first page holds fewer', async () => {
  for (const bytes of [500, 2048]) {
    const items = Array.from({ length: 30 }, (_, i) => `很长的名字`.repeat(9) + i);
    const { phone } = await atList(items, bytes);
    items.shift();
    const fresh = await phone.say('1');
    expect(fresh).toContain('已不在列表中');
    const replies = await turnAll(phone, fresh);
    for (const each of replies) expect(bytesOf(each)).toBeLessThanOrEqual(bytes);
    const shown = replies.flatMap((each) => bodyOf(each, 2));
    expect(shown.map((each) => Number.parseInt(each, 10))).toEqual(items.map((_, i) => i + 1));
    // Back on the first page the same numbers stand there.
    for (const _ of replies.slice(1)) await phone.say('p');
    expect(bodyOf(await phone.say('?'), 2)[0]).toBe(shown[0]);
  }
});

test('a preview longer than a reply says how many lines are missing, and keeps its confirmation', async () => {
  const lines = Array.from({ length: 90 }, (_, i) => `第 ${i + 1} 行，比较长的一行文字`);
  const ops = fakeOps({ 'k8s.restart': { lines: () => lines, code: '0482', run: () => 'ok' } });
  const menu = treeOf({
    'index.ts': folder({ title: '首页' }),
    '1-go.ts': operation({ title: TITLE, runs: 'k8s.restart', input: () => ({}) as never }),
  });
  for (const bytes of [500, 2048]) {
    const reply = await (await phoneWith(menu, { ops, replyBytes: bytes })).say('1');
    expect(bytesOf(reply)).toBeLessThanOrEqual(bytes);
    expect(reply).toMatch(/……（还有 \d+ 行没有显示）\n\n输入确认码 0482 执行\n\n/);
  }
});

test('whatever length the platform answers, a session keeps 32 KiB of an outcome, and a reply of a sentence', async () => {
  const long = '字'.repeat(50_000);
  const menu = treeOf({
    'index.ts': folder({ title: '首页' }),
    '1-change.ts': operation({ title: '改', runs: 'x' as never, input: () => ({}) as never }),
    '2-pick.ts': action({
      title: '选',
      ask: { one: choice('选', () => Promise.reject(new Unavailable(long))) },
      run: () => '',
    }),
  });
  const phone = await phoneWith(menu, { ops: fakeOps({ x: { lines: () => ['一变'], run: () => long } }) });
  const kept = () => bytesOf(JSON.stringify(phone.session()));
  expect(bytesOf(await phone.say('1', '1'))).toBeLessThanOrEqual(2048);
  expect(kept()).toBeLessThan(34_000);
  expect(bytesOf(await phone.say('#', '2-1'))).toBeLessThanOrEqual(2048);
  expect(kept()).toBeLessThan(3000);
});
