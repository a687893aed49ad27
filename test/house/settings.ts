import { botAccountSettings, botSettings } from '../../src/config/bot-settings.ts';
import { opsSettings } from '../../src/config/ops-settings.ts';
import { pushAccountSettings, pushSettings } from '../../src/config/push-settings.ts';
import type { Setting, Settings } from '../../src/config/setting.ts';
import { commonSettings } from '../../src/config/shared-settings.ts';

/** Whom a setting is for: one role, or `all` for more than one. */
export type Audience = 'bot' | 'ops' | 'push' | 'all';

const tables: readonly (readonly [Audience, Settings])[] = [
  ['bot', { ...botAccountSettings, ...botSettings }],
  ['ops', opsSettings],
  ['push', { ...pushAccountSettings, ...pushSettings }],
  ['all', commonSettings],
];

/** Every setting of Keypad, in the order of the tables. */
export const settings: readonly Setting[] = [...new Set(tables.flatMap(([, table]) => Object.values(table)))];

/** The roles that read a setting: one of them, or `all`. */
export function audienceOf(setting: Setting): Audience {
  const readers = tables.filter(([, table]) => Object.values(table).includes(setting));
  return readers.length === 1 ? (readers[0]?.[0] ?? 'all') : 'all';
}
