import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { createSources } from '../../src/server/sources.ts';

const sources = createSources(['10.0.0.0/8', '192.0.2.7', '2001:DB8::/32', '::1']);

describe('who may call', () => {
  test.each([
    '10.0.0.1',
    '10.255.255.255',
    '192.0.2.7',
    '::ffff:10.1.2.3',
    '::FFFF:0a01:0203',
    '2001:db8::42',
    '::1',
  ])('%s is in the list', (address) => {
    expect(sources.allows(address)).toBe(true);
  });

  test.each([
    '11.0.0.0',
    '192.0.2.8',
    '::ffff:11.0.0.1',
    '2001:db9::1',
    '::2',
    '',
    'localhost',
    '010.0.0.1',
    '10.0.0.1%lo',
    '10.0.0.1, 192.0.2.7',
    '10.0.0.0/8',
  ])('"%s" is not', (address) => {
    expect(sources.allows(address)).toBe(false);
  });

  test('an empty list allows nobody', () => {
    expect(createSources([]).allows('127.0.0.1')).toBe(false);
  });

  test('a link-local caller is known by its address, whatever the interface', () => {
    expect(createSources(['fe80::1']).allows('fe80::1%eth0')).toBe(true);
  });
});

describe('what cannot be a list', () => {
  test.each([
    '',
    'wecom',
    '10.0.0',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0.0/1e1',
    '2001:db8::/129',
    'fe80::1%lo',
    '010.0.0.0/8',
    ' 10.0.0.1',
  ])('"%s" is named as garbage', (value) => {
    expect(() => createSources(['10.0.0.1', value])).toThrow(InputError);
    expect(() => createSources(['10.0.0.1', value])).toThrow(`"${value}" is neither an address nor a CIDR`);
  });

  test.each(['0.0.0.0/0', '0.0.0.0/1', '128.0.0.0/1', '::/0', '2000::/3'])(
    '%s is no limit at all',
    (value) => {
      expect(() => createSources([value])).toThrow(`"${value}" lets in (nearly) the whole internet`);
    },
  );

  test.each(['::ffff:10.0.0.0/104', '::ffff:0:0/96', '::ffff:0:1'])('%s must be written as IPv4', (value) => {
    expect(() => createSources([value])).toThrow(`"${value}" is an IPv4 address written as IPv6`);
  });
});
