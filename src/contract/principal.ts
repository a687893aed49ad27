import * as z from 'zod';
import { InputError } from '../errors.ts';

/** Somebody who writes to Keypad: the same name in two channels, or in two accounts of one channel, is two people. */
export interface Principal {
  /** The transport, e.g. `wecom-callback`. */
  readonly channel: string;
  /** The account of that transport; `default` is the app of the `WECOM_*` variables. */
  readonly account: string;
  /** The id that the transport gives its users, in the form in which the channel compares them. */
  readonly user: string;
}

/** The callback of a self-built WeCom app. */
export const WECOM_CALLBACK = 'wecom-callback';
/** The account that needs no name. */
export const DEFAULT_ACCOUNT = 'default';
/** The longest that the text form of a principal gets. */
export const PRINCIPAL_LENGTH = 200;

/** A member's userid in WeCom: 1 to 64 of these characters, told apart without regard to case (protocol §4.8). */
const USERID = /^[A-Za-z0-9][A-Za-z0-9_\-.@]{0,63}$/;
/** The name of an account. */
export const ACCOUNT_NAME = /^[a-z][a-z0-9-]{0,31}$/;

/** The channels that bot and platform know, each with the form in which it compares its users; undefined when it is no user. */
export const channels: Readonly<Record<string, (user: string) => string | undefined>> = {
  [WECOM_CALLBACK]: (user) => (USERID.test(user) ? user.toLowerCase() : undefined),
};

/**
 * A principal as tokens, policy, audit and operations write it: `zhangsan` for the default account of WeCom's callback,
 * else `<channel>/<account>/<user>`, such as `wecom-callback/shop/zhangsan`.
 */
export function principalText({ channel, account, user }: Principal): string {
  const isPlain = channel === WECOM_CALLBACK && account === DEFAULT_ACCOUNT;
  return isPlain ? user : `${channel}/${account}/${user}`;
}

/** Reads the text form. Throws an InputError for a channel that is not known, and for what is no user of its channel. */
export function readPrincipal(text: string): Principal {
  const parts = text.includes('/') ? text.split('/') : [WECOM_CALLBACK, DEFAULT_ACCOUNT, text];
  const [channel = '', account = '', id = ''] = parts;
  const user = Object.hasOwn(channels, channel) ? channels[channel]?.(id) : undefined;
  if (parts.length !== 3 || user === undefined || !ACCOUNT_NAME.test(account)) {
    throw new InputError('is no user of a channel; write a userid, or <channel>/<account>/<user>');
  }
  return { channel, account, user };
}

/** The text form of a principal, in the one spelling by which it is compared. */
export const principal = z.string().transform((text, context) => {
  try {
    return principalText(readPrincipal(text));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
    return z.NEVER;
  }
});

/** A department of the enterprise that somebody belongs to, as the policy writes it: `7`, or `wecom-callback/shop/7`. */
export function departmentText(member: string, department: number): string {
  return principalText({ ...readPrincipal(member), user: `${department}` });
}
