import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { createSourceReader, createSources } from '../../src/server/sources.ts';

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

const readSource = createSourceReader(['10.9.0.0/16', '2001:db8:9::/48', 'fe80::9']);
const sourceOf = (remoteAddress: string | undefined, headers = {}) =>
  readSource({ socket: { remoteAddress }, headers } as IncomingMessage);
const behindProxy = (forwarded: string) => sourceOf('10.9.0.1', { 'x-forwarded-for': forwarded });

describe('a caller behind a trusted proxy is known, however the proxy writes the address', () => {
  test.each([
    ['1.2.3.4', '1.2.3.4'],
    [' \t1.2.3.4 ', '1.2.3.4'],
    ['1.2.3.4:5678', '1.2.3.4'],
    ['1.2.3.4:0', '1.2.3.4'],
    ['1.2.3.4:65535', '1.2.3.4'],
    ['2001:db8::1', '2001:db8::1'],
    ['2001:DB8:0:0::0001', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['::ffff:1.2.3.4', '1.2.3.4'],
    ['::FFFF:102:304', '1.2.3.4'],
    ['0:0:0:0:0:ffff:1.2.3.4', '1.2.3.4'],
    ['[::ffff:1.2.3.4]', '1.2.3.4'],
    ['[::ffff:1.2.3.4]:5678', '1.2.3.4'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[fe80::1%25eth0]:80', 'fe80::1'],
    // The last that is no proxy; what stands before it may be made up.
    ['6.6.6.6, 1.2.3.4', '1.2.3.4'],
    ['6.6.6.6,1.2.3.4:80,10.9.3.3', '1.2.3.4'],
    ['6.6.6.6, 1.2.3.4, [2001:db8:9::7]:99, ::ffff:10.9.3.3, [fe80::9%en0]', '1.2.3.4'],
    ['garbage, , "x", 1.2.3.4', '1.2.3.4'],
    [', 1.2.3.4', '1.2.3.4'],
    [`${'6.6.6.6, '.repeat(2000)}1.2.3.4`, '1.2.3.4'],
    // All of them are proxies: the first of them asks for itself.
    ['10.9.4.4, 10.9.3.3', '10.9.4.4'],
    [Array(20).fill('10.9.3.3').join(), '10.9.3.3'],
  ])('"%.60s" is %s', (forwarded, address) => {
    expect(behindProxy(forwarded)).toEqual({ address });
  });

  test.each([
    '',
    ' ',
    ',',
    '1.2.3.4,',
    '1.2.3.4, ',
    '1.2.3.4, , 10.9.3.3',
    'unknown',
    '_hidden',
    'localhost',
    'for=1.2.3.4',
    '"1.2.3.4"',
    '1.2.3.4;',
    '1.2.3.4 5.6.7.8',
    '1.2.3',
    '01.2.3.4',
    '1.2.3.4/32',
    '1.2.3.4%eth0',
    '1.2.3.4:',
    '1.2.3.4:65536',
    '1.2.3.4:123456',
    '1.2.3.4:http',
    ':80',
    '[1.2.3.4]',
    '[1.2.3.4]:80',
    '[]:80',
    '[2001:db8::1',
    '2001:db8::1]',
    '[[2001:db8::1]]',
    '[2001:db8::1]443',
    '[2001:db8::1]:',
    '[2001:db8::1]:65536',
    '2001:db8::1:54321',
    '2001:db8:0:0:0:0:0:1:443',
    '\u00a01.2.3.4',
    'x'.repeat(100_000),
    `${' '.repeat(100_000)}1.2.3.4`,
    Array(21).fill('10.9.3.3').join(),
  ])('"%.30s" is nobody who may call, and the log is told', (forwarded) => {
    const { address, problem } = behindProxy(forwarded);
    expect(address).toMatch(/^unknown behind 10\.9\.[03]\.[13]$/);
    expect(createSources(['1.0.0.0/8', '10.0.0.0/8', '2001:db8::/32']).allows(address)).toBe(false);
    expect(problem).toMatch(/^the trusted proxy 10\.9\.\d\.\d .*; let each proxy append the address/);
    expect(problem?.length).toBeLessThan(250);
  });

  test('what the proxy wrote stands in the log without anything that could be taken for the line’s own', () => {
    expect(behindProxy('"\u001b[31m\r\nx\u202e').problem).toContain('has "??[31m??x?" in');
  });

  test('the proxy that named no address is the one that is told of', () => {
    expect(behindProxy('x, 10.9.3.3').problem).toContain('proxy 10.9.3.3 has "x"');
  });

  test('several headers of the name are one list', () => {
    expect(sourceOf('10.9.0.1', { 'x-forwarded-for': ['6.6.6.6', '1.2.3.4'] }).address).toBe('1.2.3.4');
  });
});

test.each([
  ['a proxy that names nobody', '10.9.0.1', {}, '10.9.0.1'],
  [
    'a proxy that is known as IPv4-mapped IPv6',
    '::ffff:10.9.0.1',
    { 'x-forwarded-for': '1.2.3.4' },
    '1.2.3.4',
  ],
  ['a stranger who names somebody', '6.6.6.6', { 'x-forwarded-for': '1.2.3.4' }, '6.6.6.6'],
  ['a caller as IPv4-mapped IPv6', '::ffff:6.6.6.6', {}, '6.6.6.6'],
  ['a caller by a link', 'fe80::1%eth0', {}, 'fe80::1'],
  ['a proxy that writes Forwarded only', '10.9.0.1', { forwarded: 'for=1.2.3.4' }, '10.9.0.1'],
  ['a connection that is gone', undefined, {}, 'unknown'],
])('%s', (_who, peer, headers, address) => {
  expect(sourceOf(peer, headers).address).toBe(address);
});

test('nobody is believed where no proxy is trusted', () => {
  const request = { socket: { remoteAddress: '10.9.0.1' }, headers: { 'x-forwarded-for': '1.2.3.4' } };
  expect(createSourceReader([])(request as unknown as IncomingMessage)).toEqual({ address: '10.9.0.1' });
});

test('where a request came from is known when its connection is closed', () => {
  const socket: { remoteAddress: string | undefined } = { remoteAddress: '1.2.3.4' };
  const request = { socket, headers: {} } as IncomingMessage;
  readSource(request);
  socket.remoteAddress = undefined;
  expect(readSource(request).address).toBe('1.2.3.4');
});
