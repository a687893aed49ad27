import { expect, test } from 'vitest';
import { machineUser } from '../../src/config/machine-user.ts';

test.each([
  ['', undefined],
  ['65534:65534', { uid: 65_534, gid: 65_534 }],
  ['nobody', { uid: 65_534, gid: 65_534 }],
  ['root', { uid: 0, gid: 0 }],
  ['0:0', { uid: 0, gid: 0 }],
])('the user %j is %j', (text, user) => {
  expect(machineUser(text)).toEqual(user);
});

test.each([
  ['0:1000', 'is half root'],
  ['1000:0', 'is half root'],
  ['no-such-user', 'is no user of /etc/passwd'],
  ['1000', 'is no user of /etc/passwd'],
  ['-1:5', 'is no user of /etc/passwd'],
])('the user %j is refused: %s', (text, problem) => {
  expect(() => machineUser(text)).toThrow(problem);
});
