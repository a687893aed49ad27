import { expect, test } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import { readCallbackRange } from '../../../src/wecom/api/callback-ranges.ts';

test.each([
  ['101.226.103.*', '101.226.103.0/24'],
  ['101.226.*.*', '101.226.0.0/16'],
  ['101.*.*.*', '101.0.0.0/8'],
  ['101.226.103.59', '101.226.103.59/32'],
  ['10.0.0.0/8', '10.0.0.0/8'],
  ['255.255.255.255', '255.255.255.255/32'],
  ['2001:db8::1', '2001:db8::1/128'],
  ['2001:db8::/32', '2001:db8::/32'],
  ['::ffff:1.2.3.4', '::ffff:1.2.3.4/128'],
])('%s means %s', (entry, cidr) => {
  expect(readCallbackRange(entry)).toBe(cidr);
});

test.each([
  ['nothing', ''],
  ['everything', '*.*.*.*'],
  ['everything as a star', '*'],
  ['everything as a CIDR', '0.0.0.0/0'],
  ['a star in the middle', '101.*.103.1'],
  ['half an octet', '101.226.103.1*'],
  ['too few octets', '101.226.*'],
  ['too many octets', '101.226.103.1.*'],
  ['an octet over 255', '101.226.256.*'],
  ['a leading zero', '101.226.010.*'],
  ['a host name', 'qyapi.weixin.qq.com'],
  ['a prefix over 32', '10.0.0.0/33'],
  ['a prefix that is no number', '10.0.0.0/x'],
  ['two prefixes', '10.0.0.0/8/8'],
  ['a range', '10.0.0.1-10.0.0.9'],
  ['IPv6 with a star', '2001:db8::*'],
  ['IPv6 with two gaps', '2001::db8::1'],
  ['a prefix over 128', '2001:db8::/129'],
  ['spaces', ' 10.0.0.1'],
  ['a line end', '10.0.0.1\n'],
])('%s is refused', (_, entry) => {
  expect(() => readCallbackRange(entry)).toThrow(InputError);
});
