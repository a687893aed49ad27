import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { compose, contentFor } from '../../../src/push/content/compose.ts';
import type { Content } from '../../../src/push/content/content.ts';
import { markdownToText } from '../../../src/push/content/markdown-to-text.ts';
import type { ReceiverKind } from '../../../src/push/content/message.ts';

const everybody: readonly ReceiverKind[] = ['user', 'party', 'tag', 'chat', 'robot'];
const media = { sha256: 'a'.repeat(64), name: '报告.pdf' };

describe('a text', () => {
  test.each(everybody)('longer than 2048 bytes goes to a %s in parts that lose nothing, in order', (kind) => {
    const text = '告警😀 line\n'.repeat(400);
    const parts = compose({ text }, kind);
    const contents = parts.map(({ msgtype, body }) => {
      expect(msgtype).toBe('text');
      return String(body.content);
    });
    expect(contents.length).toBeGreaterThan(2);
    expect(contents.join('')).toBe(text);
    expect(contents.every((content) => Buffer.byteLength(content) <= 2048)).toBe(true);
    expect(contents.join('')).not.toContain('\ufffd');
  });

  test.each(['chat', 'robot'] as const)('mentions in a %s once, under its last part', (kind) => {
    const parts = compose({ text: '字'.repeat(1000), mentioned: ['zhangsan', '@all'] }, kind);
    expect(parts.map(({ body }) => body.mentioned_list)).toEqual([undefined, ['zhangsan', '@all']]);
    expect(compose({ text: 'short', mentioned: ['zhangsan'] }, kind)).toEqual([
      { msgtype: 'text', body: { content: 'short', mentioned_list: ['zhangsan'] } },
    ]);
  });

  test.each(['user', 'party', 'tag'] as const)('mentions nobody where only a %s reads it', (kind) => {
    expect(compose({ text: 'hi', mentioned: ['zhangsan'] }, kind)).toEqual([
      { msgtype: 'text', body: { content: 'hi' } },
    ]);
  });

  test('has no mentioned_list when nobody is mentioned', () => {
    expect(compose({ text: 'hi', mentioned: [] }, 'robot')).toEqual([
      { msgtype: 'text', body: { content: 'hi' } },
    ]);
  });

  test('never fails for a part of white space alone, but an empty one is left to be refused', () => {
    expect(compose({ text: `${'a'.repeat(2048)}${'\n'.repeat(3000)}` }, 'user')).toHaveLength(1);
    expect(compose({ text: '' }, 'user')).toEqual([{ msgtype: 'text', body: { content: '' } }]);
    expect(compose({ text: ' \n' }, 'user')).toHaveLength(1);
  });
});

test('markdown is split at 2048 bytes, for a robot at 4096, so that nothing is cut off', () => {
  const markdown = '**行** 一二三\n'.repeat(180);
  const bytes = Buffer.byteLength(markdown);
  expect(bytes).toBeGreaterThan(2048);
  expect(bytes).toBeLessThan(4096);
  expect(compose({ markdown }, 'robot')).toEqual([{ msgtype: 'markdown', body: { content: markdown } }]);
  const parts = compose({ markdown }, 'user');
  expect(parts.map(({ msgtype }) => msgtype)).toEqual(['markdown', 'markdown']);
  expect(parts.map(({ body }) => body.content).join('')).toBe(markdown);
});

const textcard = { title: 't', description: 'd', url: 'https://a.example/', btntxt: '更多' };
const news = { articles: [{ title: 't', url: 'https://a.example/', picurl: 'https://a.example/p.png' }] };
const templateCard = { card_type: 'text_notice', main_title: { title: 't' } };

test.each<readonly [Content, string, object]>([
  [{ textcard }, 'textcard', textcard],
  [{ news }, 'news', news],
  [{ templateCard }, 'template_card', templateCard],
  [{ image: media }, 'image', { media_id: 'MEDIA' }],
  [{ file: media }, 'file', { media_id: 'MEDIA' }],
])('%o is sent as %s', (content, msgtype, body) => {
  expect(compose(content, 'user', 'MEDIA')).toEqual([{ msgtype, body }]);
});

test('a robot takes a picture as base64 with the md5 of its bytes, and a file by its media_id', () => {
  const picture = Buffer.from([0x89, 0x50, 0x4e, 0x47, 1, 2, 3]);
  const md5 = createHash('md5').update(picture).digest('hex');
  expect(compose({ image: media }, 'robot', undefined, picture)).toEqual([
    { msgtype: 'image', body: { base64: picture.toString('base64'), md5 } },
  ]);
  expect(compose({ file: media }, 'robot', 'MEDIA')).toEqual([
    { msgtype: 'file', body: { media_id: 'MEDIA' } },
  ]);
});

test('an image without its media_id or its bytes is a bug, not a message', () => {
  expect(() => compose({ image: media }, 'user')).toThrow('media_id');
  expect(() => compose({ image: media }, 'robot', 'MEDIA')).toThrow('picture');
});

describe('markdown for who reads in personal WeChat', () => {
  const markdown = '**on call**';

  test('is plain where the caller names the member, whatever the case, or everybody', () => {
    const content = { markdown, plainTextFor: ['ZhangSan'] };
    expect(contentFor(content, 'user:zhangsan')).toEqual({ text: 'on call' });
    expect(contentFor(content, 'user:lisi')).toBe(content);
    expect(contentFor(content, 'chat:zhangsan')).toBe(content);
    expect(contentFor({ markdown, plainTextFor: 'all' }, 'party:2')).toEqual({ text: 'on call' });
  });

  test('stays markdown where nobody asked, and other content stays what it is', () => {
    const content = { markdown };
    expect(contentFor(content, 'user:zhangsan')).toBe(content);
    const text = { text: '**literal**' };
    expect(contentFor(text, 'user:zhangsan')).toBe(text);
  });

  test.each([
    ['# 标题\n###### 小标题', '标题\n小标题'],
    ['#no heading', '#no heading'],
    ['> 引用\n> > ## 深', '引用\n深'],
    ['**粗** and **bold `x*`**', '粗 and bold x*'],
    ['[文档](https://a.example/x?a=1)', '文档 (https://a.example/x?a=1)'],
    ['[https://a.example](https://a.example)', 'https://a.example'],
    ['[](https://a.example)', 'https://a.example'],
    ['`**not bold** [a](b)`', '**not bold** [a](b)'],
    ['<font color="warning">红 **粗**</font>', '红 粗'],
    ['请 <@zhangsan> 处理', '请 @zhangsan 处理'],
    ['a * b ** c < d > e [f] (g) $1 \\', 'a * b ** c < d > e [f] (g) $1 \\'],
    ['', ''],
  ])('%j reads %j', (from, to) => {
    expect(markdownToText(from)).toBe(to);
  });

  test('is made plain quickly even when it is made to be slow', () => {
    for (const mean of ['**', '[', '`', '<font ', '[](', '**a', '<@']) {
      expect(markdownToText(`${mean.repeat(4096)}!`)).toMatch(/!$/);
    }
  });
});
