// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how templates are written
import { afterAll, describe, expect, test } from 'vitest';
import { openPushDatabase } from '#test/push-database.ts';
import type { Content } from '../../../src/push/content/content.ts';
import { templateRoutes } from '../../../src/push/templates/routes.ts';
import { createTemplates } from '../../../src/push/templates/template-store.ts';
import { ask } from './call-route.ts';

const { db, drop } = await openPushDatabase();

/** One replica on a clock of its own. */
function replica() {
  const clock = { now: 1_767_225_600_000 };
  return { clock, templates: createTemplates({ db, now: () => clock.now }) };
}

const a = replica();
const b = replica();
const routes = templateRoutes({ templates: a.templates });
const text = (content: string): { title: string; content: Content } => ({
  title: 'Alert',
  content: { text: content },
});

afterAll(drop);

describe('a template', () => {
  test('is resolved unfilled, with its version, and missing variables are named, all of them', async () => {
    await a.templates.put('deploy', text('${APP} ${VERSION} ${USERID}'), 'ci');
    const variables = { APP: 'web', VERSION: '2', OTHER: 'x' };
    expect(await a.templates.resolve('deploy', variables, ['USERID'])).toEqual({
      content: { text: '${APP} ${VERSION} ${USERID}' },
      version: 1,
    });
    await expect(a.templates.resolve('deploy', { APP: 'web' })).rejects.toThrow('VERSION, USERID missing');
    await expect(a.templates.resolve('nothing', {})).rejects.toThrow('there is no template "nothing"');
  });

  test('has a key, a title and a content within their limits', async () => {
    await expect(a.templates.put('a b', text('x'), 'ci')).rejects.toThrow('key of a template');
    await expect(a.templates.put('x'.repeat(33), text('x'), 'ci')).rejects.toThrow('key of a template');
    const fits = 4048 - Buffer.byteLength('{"text":""}');
    expect((await a.templates.put('x'.repeat(32), text('x'.repeat(fits)), 'ci'))?.version).toBe(1);
    await expect(a.templates.put('long', text('x'.repeat(fits + 1)), 'ci')).rejects.toThrow('at most 4048');
    const put = (title: string) =>
      ask(routes, 'PUT /templates/:key', { params: { key: 'titled' }, body: { ...text('x'), title } });
    expect((await put('好'.repeat(100))).status).toBe(200);
    await expect(put('好'.repeat(101))).rejects.toThrow('at most 100 characters');
  });

  test('that changes is live at once where it was changed, and within 1.5 s in every other replica', async () => {
    expect(await b.templates.get('live')).toBeNull();
    await a.templates.put('live', text('one'), 'ci');
    expect(await a.templates.get('live')).toMatchObject({ version: 1 });
    b.clock.now += 1500;
    expect(await b.templates.get('live')).toMatchObject({ version: 1, content: { text: 'one' } });
    await a.templates.put('live', text('two'), 'ci');
    expect(await a.templates.get('live')).toMatchObject({ version: 2 });
    b.clock.now += 1500;
    expect(await b.templates.get('live')).toMatchObject({ version: 2, content: { text: 'two' } });
    await a.templates.remove('live');
    expect(await a.templates.get('live')).toBeNull();
    b.clock.now += 1500;
    expect(await b.templates.get('live')).toBeNull();
  });

  test('that was changed in the database by hand is live as soon', async () => {
    await a.templates.put('byhand', text('one'), 'ci');
    await b.templates.get('byhand');
    await db
      .updateTable('template_versions')
      .set({ content: '{"text":"mended"}' })
      .where('template_key', '=', 'byhand')
      .execute();
    expect(await b.templates.get('byhand')).toMatchObject({ content: { text: 'one' } });
    b.clock.now += 1500;
    expect(await b.templates.get('byhand')).toMatchObject({ content: { text: 'mended' } });
  });

  test('can be restored to an earlier version, which makes a new one, also after it was deleted', async () => {
    for (const each of ['one', 'two', 'three']) await a.templates.put('old', text(each), 'ci');
    const params = { key: 'old' };
    const restored = await ask(routes, 'POST /templates/:key/restore', { params, body: { version: 1 } });
    expect(restored).toMatchObject({ status: 200, body: { version: 4, content: { text: 'one' } } });
    expect(await a.templates.get('old')).toMatchObject({ version: 4, content: { text: 'one' } });
    expect((await ask(routes, 'DELETE /templates/:key', { params })).status).toBe(200);
    expect((await ask(routes, 'GET /templates/:key', { params })).status).toBe(404);
    expect((await ask(routes, 'DELETE /templates/:key', { params })).status).toBe(404);
    await a.templates.restore('old', 2, 'other');
    expect(await a.templates.get('old')).toMatchObject({
      version: 5,
      content: { text: 'two' },
      author: 'other',
    });
    const versions = await ask(routes, 'GET /templates/:key/versions', { params });
    expect(versions.body).toMatchObject({ versions: [5, 4, 3, 2, 1].map((version) => ({ version })) });
    const none = await ask(routes, 'POST /templates/:key/restore', { params, body: { version: 9 } });
    expect(none.status).toBe(404);
  });

  test('is not overwritten by who names another version than the live one', async () => {
    const put = (version: number, content: string) =>
      ask(routes, 'PUT /templates/:key', { params: { key: 'guarded' }, body: { ...text(content), version } });
    expect((await put(0, 'one')).status).toBe(200);
    expect((await put(0, 'lost')).status).toBe(409);
    const both = await Promise.all([put(1, 'left'), put(1, 'right')]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect((await a.templates.get('guarded'))?.version).toBe(2);
  });

  test('gets one version for each of many changes at once', async () => {
    const puts = Array.from({ length: 10 }, (_, i) =>
      [a, b][i % 2]?.templates.put('busy', text(`${i}`), 'ci'),
    );
    const versions = (await Promise.all(puts)).map((put) => put?.version ?? 0);
    expect(versions.sort((x, y) => x - y)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('is shown filled in a preview, with a userid in place, and refused when it does not fit filled', async () => {
    await a.templates.put('preview', text('${USERID}: "${X}"'), 'ci');
    const preview = (body: unknown) =>
      ask(routes, 'POST /templates/:key/preview', { params: { key: 'preview' }, body });
    const filled = await preview({ variables: { X: '$1\n\\"${USERID}' }, userid: 'zhangsan' });
    expect(filled.body).toEqual({ version: 1, content: { text: 'zhangsan: "$1 \\"${USERID}"' } });
    await expect(preview({ variables: {}, userid: 'zhangsan' })).rejects.toThrow('X missing');
    await expect(preview({ variables: { X: 'x' } })).rejects.toThrow('USERID missing');
    await expect(preview({ variables: { X: 'x'.repeat(20_480) }, userid: 'z' })).rejects.toThrow(
      'text: must be at most',
    );
  });

  test('holds no media, and stands in the list by its key', async () => {
    const image = { title: 't', content: { image: { sha256: 'x', name: 'y' } } };
    await expect(ask(routes, 'PUT /templates/:key', { params: { key: 'i' }, body: image })).rejects.toThrow();
    await a.templates.put('zz-1', text('x'), 'ci');
    await a.templates.put('zz-2', text('x'), 'ci');
    const odd = ask(routes, 'GET /templates', { query: { after: '😀' } });
    await expect(odd).rejects.toThrow('must be the key of a template');
    const list = await ask(routes, 'GET /templates', { query: { after: 'z', limit: '1' } });
    expect(list.body).toMatchObject({
      templates: [
        { key: 'zz-1', version: 1, title: 'Alert', createdAt: expect.stringMatching(/^\d+-\S+Z$/) },
      ],
      next: 'zz-1',
    });
  });
});
