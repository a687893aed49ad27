import { InputError } from '../../errors.ts';
import { type Content, type ContentKind, kindOf } from '../content/content.ts';
import { DEFAULT_ACCOUNT, type Receiver } from '../content/message.ts';
import { checkAccount, type KnownAccounts } from '../http/accounts.ts';
import { type Caller, Refusal } from '../http/route.ts';
import type { HandedMessage } from './message-schema.ts';
import { type MessageParts, receiversOf } from './new-message.ts';

/** What an app wants to send; `template` is the key of the template that it fills. */
export interface Wish {
  readonly kind: ContentKind;
  readonly template: string | undefined;
  readonly receivers: readonly Receiver[];
  readonly account: string;
}

/** Throws a Refusal when the scopes of this app do not allow such a message. */
export function checkRights(caller: Caller, wish: Wish, accounts: KnownAccounts): void {
  const { kind, template, receivers, account } = wish;
  const { app, scopes } = caller;
  const mayNot = (what: string) =>
    new Refusal(403, `The app "${app}" may not send ${what}; its scopes are ${scopes.words.join(', ')}.`);
  if (template !== undefined) {
    if (!scopes.allowsTemplate(template)) throw mayNot(`the template "${template}"`);
  } else if (!scopes.allowsKind(kind)) throw mayNot(`content of the kind ${kind}`);
  const receiver = receivers.find((each) => !scopes.allowsReceiver(each));
  if (receiver !== undefined) throw mayNot(`to ${receiver}`);
  // Robots belong to no account: what goes to them alone needs none.
  const isForRobots = account === DEFAULT_ACCOUNT && receivers.every((each) => each.startsWith('robot:'));
  if (!isForRobots) checkAccount(caller, account, accounts);
}

/** Throws a Refusal or an InputError when this app may not hand in this message. */
export function checkMessage(
  caller: Caller,
  message: HandedMessage,
  { robots, accounts }: MessageParts,
): void {
  const { app, callbackHosts } = caller;
  const kind = message.imageUrl === undefined ? kindOf(message as Content) : 'image';
  const { template, callbackUrl, account = DEFAULT_ACCOUNT } = message;
  checkRights(caller, { kind, template: template?.key, receivers: receiversOf(message), account }, accounts);
  const robot = message.to.robots.find((name) => !robots.has(name));
  if (robot !== undefined) {
    throw new InputError(`to.robots: there is no robot "${robot}"; add it to PUSH_ROBOTS.`);
  }
  const host = callbackUrl === undefined ? undefined : new URL(callbackUrl).hostname;
  if (host !== undefined && !callbackHosts.includes(host)) {
    throw new InputError(
      `callbackUrl: the host "${host}" is not on the list of the app "${app}"; let it be added with app-key.`,
    );
  }
}
