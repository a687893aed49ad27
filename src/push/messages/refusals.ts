import { type Content, type ContentKind, kindOf } from '../content/content.ts';
import type { Receiver } from '../content/message.ts';
import { type Answer, type Caller, refuse } from '../http/route.ts';
import type { HandedMessage } from './message-schema.ts';
import { receiversOf } from './new-message.ts';

/** What is asked of the scopes of an app. */
export interface Wish {
  readonly kind: ContentKind;
  /** The key of the template that it comes from. */
  readonly template?: string | undefined;
  readonly receivers: readonly Receiver[];
}

/** Why the scopes of this app do not allow it; undefined when they do. */
export function scopeRefusalOf(
  { app, scopes }: Caller,
  { kind, template, receivers }: Wish,
): Answer | undefined {
  const mayNot = (what: string) =>
    refuse(403, `The app "${app}" may not send ${what}; its scopes are ${scopes.words.join(', ')}.`);
  if (template !== undefined) {
    if (!scopes.allowsTemplate(template)) return mayNot(`the template "${template}"`);
  } else if (!scopes.allowsKind(kind)) return mayNot(`content of the kind ${kind}`);
  const receiver = receivers.find((each) => !scopes.allowsReceiver(each));
  return receiver === undefined ? undefined : mayNot(`to ${receiver}`);
}

/** Why this app may not hand in this message; undefined when it may. `robots` are those that are configured. */
export function refusalOf(
  caller: Caller,
  message: HandedMessage,
  robots: ReadonlySet<string>,
): Answer | undefined {
  const { app, callbackHosts } = caller;
  const kind = message.imageUrl === undefined ? kindOf(message as Content) : 'image';
  const { template, callbackUrl } = message;
  const wish = { kind, template: template?.key, receivers: receiversOf(message) };
  const refusal = scopeRefusalOf(caller, wish);
  if (refusal !== undefined) return refusal;
  const robot = message.to.robots.find((name) => !robots.has(name));
  if (robot !== undefined) {
    return refuse(400, `to.robots: there is no robot "${robot}"; add it to PUSH_ROBOTS.`);
  }
  const host = callbackUrl === undefined ? undefined : new URL(callbackUrl).hostname;
  if (host !== undefined && !callbackHosts.includes(host)) {
    return refuse(
      400,
      `callbackUrl: the host "${host}" is not on the list of the app "${app}"; let it be added with app-key.`,
    );
  }
  return undefined;
}
