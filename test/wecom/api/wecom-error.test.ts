import { expect, test } from 'vitest';
import type { ErrorKind } from '../../../src/wecom/api/errcodes.ts';
import { WeComError } from '../../../src/wecom/api/wecom-error.ts';

const kinds: readonly (readonly [ErrorKind, readonly (number | 'unsent' | 'lost')[]])[] = [
  ['retry', [-1, 'unsent', 'lost']],
  ['token', [40014, 42001]],
  ['account', [40001, 40091, 40013, 41002, 41004, 40056, 41011, 301002, 48002, 50003, 60020]],
  ['limit', [45009, 45033]],
  ['permanent', [60011, 50002, 60021, 40057, 50001, 40003, 60111, 46004, 81013, 45002, 44004, 40058, 99999]],
];

test.each(kinds.flatMap(([kind, errcodes]) => errcodes.map((errcode) => [errcode, kind] as const)))(
  '%s is of the kind %s and comes with advice',
  (errcode, kind) => {
    const error = new WeComError('message/send', errcode, 'what WeCom said');
    expect(error).toMatchObject({ name: 'WeComError', errcode, kind });
    expect(error.advice).toMatch(/^[A-Z].*\.$/);
    expect(error.message).toBe(`message/send failed with ${errcode} (what WeCom said). ${error.advice}`);
  },
);

test('60020 names the address to add', () => {
  const errmsg =
    'not allow to access from your ip, hint: [1], from ip: 203.0.113.7, more info at https://open';
  expect(new WeComError('message/send', 60020, errmsg).advice).toContain(
    'Add 203.0.113.7 to the trusted IPs',
  );
  expect(new WeComError('message/send', 60020, 'no hint').advice).toContain('trusted IPs');
});
