import { botSettings } from './bot-settings.ts';
import { opsSettings } from './ops-settings.ts';
import { pushSettings } from './push-settings.ts';
import { sharedSettings } from './shared-settings.ts';

/** Every setting of Keypad. `.env.example` is printed from this table, and a test holds the two equal. */
export const settings = { ...botSettings, ...opsSettings, ...pushSettings, ...sharedSettings } as const;

/** The name of a setting. */
export type SettingName = keyof typeof settings;

/** The value that a setting is read into. */
export type ValueOf<N extends SettingName> = ReturnType<(typeof settings)[N]['read']>;
