// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how templates are written
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Content } from '../../../src/push/content/content.ts';
import { checkPlaces, fill, namesIn } from '../../../src/push/content/fill.ts';

/** What phones take for the name of a site. */
const NAME = /[\p{L}\p{N}_-]\.\p{L}{2}/u;
/** What breaks fillers that go through JSON, a regular expression's replacement, or a second pass. */
const NASTY = ['"', '\\', '$1', '$&', '$$', "$'", '`', '${X}', '${NAME}', '}', '\\u0041', ''];

describe('filling a template', () => {
  test.each(NASTY)('puts %j literally in its place', (value) => {
    const filled = fill({ text: 'a${NAME}b${NAME}' }, { NAME: value, X: 'never' });
    expect(filled).toEqual({ text: `a${value}b${value}` });
  });

  test('fills any depth, and leaves everything else untouched', () => {
    const content: Content = {
      templateCard: {
        '${A}': 7,
        main_title: { title: '${A}|${B}|${A}' },
        list: [{ deep: ['${B}', 1, null, true] }],
      },
    };
    expect(fill(content, { A: '$&', B: '"好' })).toEqual({
      templateCard: {
        '${A}': 7,
        main_title: { title: '$&|"好|$&' },
        list: [{ deep: ['"好', 1, null, true] }],
      },
    });
  });

  test('changes the shape of the JSON by no value', () => {
    const content = { textcard: { title: '${T}', description: 'd', url: 'https://a.example/' } };
    const value = '","url":"https://evil.example/';
    expect(JSON.parse(JSON.stringify(fill(content, { T: value })))).toEqual({
      textcard: { ...content.textcard, title: '","url":"https：//evil［.］example/' },
    });
  });

  test('leaves what is no name, and names without a value, as they were written', () => {
    const text = '${a} ${1A} $NAME ${NAME ${} ${TOO_LONG_TOO_LONG_TOO_LONG_TOO_LO} ${MISSING} ${constructor}';
    expect(fill({ text }, {})).toEqual({ text });
    expect(fill({ text: '${HAS}' }, Object.create({ HAS: 'inherited' }))).toEqual({ text: '${HAS}' });
  });

  test('finds every name once, in values and not in keys', () => {
    const content: Content = {
      templateCard: { '${KEY}': '${A} ${B_2}', list: ['${A}', { x: '${USERID}' }] },
    };
    expect([...namesIn(content)]).toEqual(['A', 'B_2', 'USERID']);
  });
});

describe('a value says no more than its template', () => {
  const filled = (text: string, value: string) => fill({ markdown: text }, { A: value });

  test.each([
    ['${A}', 'x\n# y', 'x # y'],
    ['${A:text}', 'x\n# y', 'x\n＃ y'],
    ['${A}', '[a](https://evil.example/)', '［a］(https：//evil［.］example/)'],
    [
      '${A}',
      '<font color="warning">a</font> <@all> `b` **c**',
      '＜font color="warning"＞a＜/font＞ ＜@all＞ ｀b｀ ＊＊c＊＊',
    ],
    ['https:${A}', '//evil.example', 'https：//evil［.］example'],
    [
      '[a](https://h.example/${A}?b=${A})',
      '../x?y&z)',
      '[a](https://h.example/..%2Fx%3Fy%26z%29?b=..%2Fx%3Fy%26z%29)',
    ],
    ['[a](${A:url})', 'https://h.example/a)b c', '[a](https://h.example/a%29b%20c)'],
    ['<@${A}>', 'zhangsan', '<@zhangsan>'],
  ])('in markdown %j with %j', (text, value, sent) => {
    expect(filled(text, value)).toEqual({ markdown: sent });
  });

  test('a link in a text is none', () => {
    const value = '<a href="https://evil.example/">a</a>';
    expect(fill({ text: '${A}' }, { A: value })).toEqual({
      text: '＜a href="https：//evil［.］example/">a＜/a>',
    });
  });

  test.each([
    ['https://${A}/', 'x'],
    ['https://h${A}/', '.evil.example'],
    ['https://h:${A}/', '1@evil.example'],
    ['[a](${A})', 'https://evil.example'],
    ['<a href="${A}">', 'https://evil.example'],
    ['https://h.example/${A}/x', '..'],
    ['${A:url}', 'javascript:alert(1)'],
    ['<@${A}>', 'all'],
    ['<@a${A}>', 'll'],
    ['<font color="${A}">', 'a"><@b'],
    ['${A:host}', 'evil.example/login'],
    ['${A:host}', 'a b'],
    ['${A:host}', 'tel:+110'],
    ['${A:host}', '@all'],
  ])('%j refuses %j, which would move its host or its marks', (text, value) => {
    expect(() => filled(text, value)).toThrow('variables: ');
  });

  test.each([
    ['${A}', 'evil.example', 'evil［.］example'],
    ['corp.example：${A}！', '见 www.evil.example/x?y', 'corp.example：见 www［.］evil［.］example/x?y！'],
    ['${A}', '请看evil.example，谢谢', '请看evil［.］example，谢谢'],
    ['evil.${A}', 'example', 'evil［.］example'],
    ['x${A}${A}', '.example', 'x［.］example［.］example'],
    ['${A}', 'xn--evil.xn--p1ai:8080', 'xn--evil［.］xn--p1ai:8080'],
    ['${A}\uffff', 'evil.example', 'evil［.］example\ufffd'],
    ['${A}', '\uffffevil.example', '\ufffdevil［.］example'],
    ['${A}', 'evil.example.0', 'evil［.］example［.］0'],
    ['${A}', '10.1.2.3 v1.4.2 12.5% db.svc.local a.log', '10.1.2.3 v1.4.2 12.5% db.svc.local a.log'],
    ['${A}', 'java.io.IOException: 失败。请处理', 'java.io.IOException: 失败。请处理'],
    ['${A:host} 宕机', 'web-1.prod.corp.example:8080', 'web-1.prod.corp.example:8080 宕机'],
    ['${A:host}', '2001:db8::1', '2001:db8::1'],
    ['见 ${A:url}', 'https://h.example/a b', '见 https://h.example/a%20b'],
    ['见 ${A:url}?q=${A}', 'https://h.example/', '见 https://h.example/?q=https%3A%2F%2Fh.example%2F'],
    ['[a](${A:url}?q=${A})', 'https://h.example/', '[a](https://h.example/?q=https%3A%2F%2Fh.example%2F)'],
  ])('a phone makes no link of a value: %j with %j', (text, value, sent) => {
    expect(fill({ text }, { A: value })).toEqual({ text: sent });
    expect(filled(text, value)).toEqual({ markdown: sent });
  });

  test('nobody is mentioned, and no mini program opened, that the template does not name', () => {
    for (const [text, value] of [
      ['@a${A}', 'll'],
      ['${A}', '@all'],
    ] as const) {
      expect(() => fill({ text: 'a', mentioned: [text] }, { A: value })).toThrow('variables: ');
    }
    const card = { templateCard: { card_action: { type: 2, appid: '${A}' } } };
    expect(() => fill(card, { A: 'wx1' })).toThrow('appid');
  });

  test('a template whose host is a value is refused when it is written', () => {
    const url = 'https://${A}.example/';
    expect(() => checkPlaces({ textcard: { title: 'a', description: 'b', url } })).toThrow('${A:url}');
    expect(() => checkPlaces({ text: '${A:html}' })).toThrow('of no type');
    expect(() =>
      checkPlaces({ text: '${A} ${B:text} ${C:url} ${D:host} https://h.example/${A}' }),
    ).not.toThrow();
  });

  test('whatever the value: no mark, no mention, no line and no host is its own', () => {
    const bits = [
      '<',
      '>',
      '[',
      ']',
      '(',
      ')',
      '`',
      '*',
      '#',
      '@all',
      ':',
      '/',
      '//',
      '\\',
      '?',
      '\n',
      'a',
      '.',
      '好',
      'https',
      '"',
    ];
    const value = fc.array(fc.constantFrom(...bits), { maxLength: 12 }).map((parts) => parts.join(''));
    const text = '${A}${B}\n[${A}](https://h.example/p/x${A}?q=${B}) https:${B}';
    fc.assert(
      fc.property(fc.oneof(value, fc.string()), fc.oneof(value, fc.string()), (A, B) => {
        const { markdown } = fill({ markdown: text }, { A, B }) as { markdown: string };
        expect(markdown.match(/[<>`*]/g)).toBeNull();
        expect(markdown.match(/[[\]]/g)).toEqual(['[', ']']);
        expect(markdown.split(/[\n\r\u0085\u2028\u2029]/)).toHaveLength(2);
        expect(markdown).not.toMatch(/^\s*#/m);
        const addresses = markdown.match(/:\/\/[^\s/]*/g);
        expect(addresses).toEqual(['://h.example']);
        // What stands in the address is a part of the template's own link.
        expect(markdown.replace(/\(https:\/\/h\.example\/[^)]*\)/, '')).not.toMatch(NAME);
      }),
    );
  });
});
