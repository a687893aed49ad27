import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { openPushDatabase } from '#test/push-database.ts';
import { newId } from '../../../src/push/database/new-id.ts';
import { createMedia, type Media } from '../../../src/push/media/media.ts';
import { mediaRoutes } from '../../../src/push/media/routes.ts';
import type { UploadedMedia } from '../../../src/wecom/api/media-form.ts';
import { ask, CALLER } from '../templates/call-route.ts';
import { until } from '../templates/until.ts';

const { db, drop } = await openPushDatabase();
afterAll(drop);
afterEach(() => {
  gate = async () => {};
});

const DAY = 86_400_000;
const MB = 1024 * 1024;
let now = 1_767_225_600_000;
let polls = 0;
const uploads: {
  readonly to: string;
  readonly kind: string;
  readonly name: string;
  readonly size: number;
}[] = [];
/** What the next upload waits for. */
let gate: () => Promise<void> = async () => {};

async function uploaded(to: string, kind: string, name: string, bytes: Uint8Array): Promise<UploadedMedia> {
  uploads.push({ to, kind, name, size: bytes.length });
  await gate();
  return { mediaId: `media-${uploads.length}`, expiresAt: now + 3 * DAY };
}

function replica(): Media & ReturnType<Media['of']> {
  const media = createMedia({
    db,
    now: () => now,
    newId: () => newId(now),
    sleep: () => {
      polls += 1;
      return sleep(5);
    },
    messengerOf: (account) => ({
      upload: (kind, name, bytes) => uploaded(account, kind, name, bytes),
      uploadForRobot: (key, name, bytes) => uploaded(key, 'file', name, bytes),
    }),
    robots: { room: 'the-key-of-room', other: 'the-key-of-other' },
  });
  return { ...media, ...media.of('ci') };
}

const [a, b] = [replica(), replica()];
const png = (size = 100) =>
  Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.from(randomUUID()), Buffer.alloc(size)]);

describe('media', () => {
  test('are kept byte for byte, also those of 20 MB', async () => {
    const bytes = Buffer.alloc(20 * MB, randomUUID());
    const stored = await a.save('file', '报告.pdf', bytes);
    expect(stored.name).toBe('报告.pdf');
    expect((await b.bytes(stored.sha256)).equals(bytes)).toBe(true);
  });

  test('are kept once for each content, though many hand it in at once', async () => {
    const bytes = png(MB);
    const all = await Promise.all([a, b, a, b, a].map((each) => each.save('image', 'x', bytes)));
    expect(new Set(all.map(({ sha256 }) => sha256)).size).toBe(1);
    expect((await a.bytes(all[0]?.sha256 ?? '')).equals(bytes)).toBe(true);
  });

  test.each([
    ['neither JPG nor PNG', 'image', Buffer.from('GIF89a not taken')],
    ['longer than 5 bytes', 'image', Buffer.from('89504e47', 'hex')],
    ['longer than 5 bytes', 'file', Buffer.alloc(5)],
    ['at most 10 MB', 'image', png(10 * MB)],
    ['at most 20 MB', 'file', Buffer.alloc(20 * MB + 1)],
  ] as const)('that WeCom does not take are refused: %s, %s', async (problem, kind, bytes) => {
    await expect(a.save(kind, 'x.png', bytes)).rejects.toThrow(problem);
  });

  test.each(['', '../x', 'a/b', 'a\\b', 'a"b', 'a\nb', '..', 'x'.repeat(129)])(
    'that are files have a plain name, not %j',
    async (name) => {
      await expect(a.save('file', name, Buffer.alloc(10))).rejects.toThrow('name: must be a file name');
    },
  );

  test('that are not kept, or no picture, cannot be used', async () => {
    const unknown = { sha256: 'f'.repeat(64), name: 'x' };
    await expect(a.use('file', unknown)).rejects.toThrow('upload it again');
    await expect(a.bytes(unknown.sha256)).rejects.toThrow('upload it again');
    const text = await a.save('file', 'x.txt', Buffer.from('some text'));
    await expect(a.use('image', text)).rejects.toThrow('no JPG or PNG');
    expect(await b.use('file', { ...text, name: 'y.txt' })).toEqual({ ...text, name: 'y.txt' });
    const picture = await a.save('file', 'x.png', png());
    expect(await a.use('image', picture)).toEqual({ ...picture, name: 'image.png' });
  });
});

describe('of another app', () => {
  test.each(['image', 'file'] as const)(
    'a hash is no %s, in the same words as one that nobody has',
    async (kind) => {
      const stored = await a.save(kind, 'x.png', png());
      const foreign = { ...stored, sha256: 'e'.repeat(64) };
      const problemOf = (media: typeof stored) =>
        b
          .of('other')
          .use(kind, media)
          .catch((error: Error) => error.message.replace(media.sha256, 'HASH'));
      expect(await problemOf(stored)).toBe(await problemOf(foreign));
      expect(await problemOf(stored)).toContain('upload it again');
      await expect(b.use(kind, stored)).resolves.toMatchObject({ sha256: stored.sha256 });
    },
  );

  test('bytes are kept once, and each app that hands them in may send them from then on', async () => {
    const bytes = png();
    const stored = await a.save('file', 'x.png', bytes);
    await b.of('other').save('file', 'x.png', bytes);
    await expect(a.of('other').use('file', stored)).resolves.toEqual(stored);
    await expect(a.of('third').use('file', stored)).rejects.toThrow('upload it again');
    const chunks = db.selectFrom('media_chunks').select('part').where('sha256', '=', stored.sha256);
    expect(await chunks.execute()).toHaveLength(1);
  });
});

describe('a media_id', () => {
  test('comes of one upload, though twenty ask for it in two replicas at once', async () => {
    const stored = await a.save('image', 'x', png());
    const before = uploads.length;
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = () => promise;
    polls = 0;
    const asked = Array.from({ length: 20 }, (_, i) => (i % 2 ? a : b).mediaId('image', stored, 'default'));
    // The one that did not get the turn is waiting; now the other's upload may end.
    await until(() => expect(polls).toBeGreaterThan(2));
    resolve();
    expect(new Set(await Promise.all(asked))).toEqual(new Set([`media-${before + 1}`]));
    expect(uploads.length).toBe(before + 1);
  });

  test('is reused for its three days, and made again ten minutes before they are over', async () => {
    const stored = await a.save('image', 'x', png());
    const first = await a.mediaId('image', stored, 'default');
    now += 3 * DAY - 600_001;
    expect(await b.mediaId('image', stored, 'default')).toBe(first);
    now += 1;
    expect(await b.mediaId('image', stored, 'default')).not.toBe(first);
  });

  test('is shared by pictures of any name, and by files of the same name only', async () => {
    const bytes = png();
    const picture = await a.save('image', 'x', bytes);
    expect(await a.mediaId('image', { ...picture, name: 'y' }, 'default')).toBe(
      await a.mediaId('image', picture, 'default'),
    );
    const [x, y] = [await a.save('file', 'x.png', bytes), await a.save('file', 'y.png', bytes)];
    expect(await a.mediaId('file', x, 'default')).not.toBe(await a.mediaId('file', y, 'default'));
    expect(uploads.slice(-2).map(({ kind, name }) => [kind, name])).toEqual([
      ['file', 'x.png'],
      ['file', 'y.png'],
    ]);
  });

  test('that WeCom has forgotten is made again', async () => {
    const stored = await a.save('image', 'x', png());
    const first = await a.mediaId('image', stored, 'default');
    await b.forget(first);
    expect(await a.mediaId('image', stored, 'default')).not.toBe(first);
  });

  test('of a robot is its own', async () => {
    const stored = await a.save('file', 'x.png', png());
    const ids = [
      await a.mediaId('file', stored, 'default'),
      await a.mediaIdForRobot('room', stored),
      await a.mediaIdForRobot('other', stored),
    ];
    expect(new Set(ids).size).toBe(3);
    expect(await b.mediaIdForRobot('room', stored)).toBe(ids[1]);
    expect(uploads.slice(-2).map(({ to }) => to)).toEqual(['the-key-of-room', 'the-key-of-other']);
    await expect(a.mediaIdForRobot('nobody', stored)).rejects.toThrow('no robot "nobody"');
  });

  test('can be made by another when an upload fails, or its replica dies', async () => {
    const stored = await a.save('image', 'x', png());
    gate = () => Promise.reject(new Error('WeCom is away'));
    await expect(a.mediaId('image', stored, 'default')).rejects.toThrow('WeCom is away');
    gate = () => new Promise(() => {});
    const dead = a.mediaId('image', stored, 'default');
    const count = uploads.length;
    await until(() => expect(uploads.length).toBe(count + 1));
    gate = async () => {};
    now += 90_001;
    expect(await b.mediaId('image', stored, 'default')).toBe(`media-${count + 2}`);
    expect(dead).toBeInstanceOf(Promise);
  });

  test('is not waited for without end', async () => {
    const stored = await a.save('image', 'x', png());
    gate = () => new Promise(() => {});
    void a.mediaId('image', stored, 'default');
    const count = uploads.length;
    await until(() => expect(uploads.length).toBe(count + 1));
    await expect(b.mediaId('image', stored, 'default')).rejects.toMatchObject({
      errcode: 'unsent',
      kind: 'retry',
    });
    gate = async () => {};
  });
});

describe('pruning', () => {
  /** Writes down a message whose one delivery is open, or final. */
  async function message(content: unknown, line: string | null): Promise<void> {
    const id = newId(now);
    await db
      .insertInto('messages')
      .values({
        id,
        app: 'ci',
        lane: 'normal',
        kind: 'image',
        content: JSON.stringify(content),
        request_hash: '0'.repeat(64),
        receivers: 1,
        open: 1,
        created_at: now,
        send_at: now,
      } as never)
      .execute();
    await db
      .insertInto('deliveries')
      .values({ message_id: id, receiver: 'user:zhangsan', line, since: now, due_at: now } as never)
      .execute();
  }

  test('removes what nobody has used for four days, but nothing that an open delivery or a later time needs', async () => {
    const [unused, open, done, later, used] = await Promise.all(
      [1, 2, 3, 4, 5].map(() => a.save('image', 'x', png())),
    );
    if (!unused || !open || !done || !later || !used) throw new Error('not saved');
    await message({ image: open }, 'normal user:zhangsan');
    await message({ image: done }, null);
    await a.use('image', later, now + 30 * DAY);
    now += 4 * DAY;
    await a.use('image', used);
    await a.prune();
    expect((await a.bytes(unused.sha256)).length).toBeGreaterThan(0);
    // Reading it was a use; so four more days from here.
    now += 4 * DAY + 1;
    await a.use('image', used);
    await a.prune();
    for (const { sha256 } of [unused, done]) await expect(a.bytes(sha256)).rejects.toThrow('upload it again');
    for (const { sha256 } of [open, later, used]) expect((await a.bytes(sha256)).length).toBeGreaterThan(100);
    for (const table of ['media_chunks', 'media_owners'] as const) {
      const left = db.selectFrom(table).select('sha256').where('sha256', '=', unused.sha256);
      expect(await left.execute()).toEqual([]);
    }
  });
});

describe('POST /v1/media', () => {
  const routes = mediaRoutes({ media: a });

  test('keeps the bytes and tells the hash to send them by', async () => {
    const raw = png();
    const query = { kind: 'file', name: 'x.png' };
    const answer = await ask(routes, 'POST /media', { query, raw });
    const { sha256 } = answer.body as { sha256: string };
    expect(answer).toMatchObject({ status: 200, body: { name: 'x.png' } });
    expect((await a.bytes(sha256)).equals(raw)).toBe(true);
  });

  test('takes of an app only kinds that it may send', async () => {
    const scopes = { ...CALLER.scopes, allowsKind: (kind: string) => kind === 'image' };
    const caller = { ...CALLER, scopes };
    const file = await ask(routes, 'POST /media', { query: { kind: 'file', name: 'x' }, raw: png(), caller });
    expect(file.status).toBe(403);
    expect((await ask(routes, 'POST /media', { query: { kind: 'image' }, raw: png(), caller })).status).toBe(
      200,
    );
  });
});
