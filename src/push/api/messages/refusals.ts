import type { Content } from '../../content.ts';
import { kindOf } from '../../content.ts';
import { type Answer, type Caller, refuse } from '../route.ts';
import type { HandedMessage } from './message-schema.ts';
import { receiversOf } from './new-message.ts';

/** Why this app may not hand in this message; undefined when it may. `robots` are those that are configured. */
export function refusalOf(
  { app, scopes, callbackHosts }: Caller,
  message: HandedMessage,
  robots: ReadonlySet<string>,
): Answer | undefined {
  const kind = message.imageUrl === undefined ? kindOf(message as Content) : 'image';
  const { template, callbackUrl } = message;
  const mayNot = (what: string) =>
    refuse(403, `The app "${app}" may not send ${what}; its scopes are ${scopes.words.join(', ')}.`);
  if (template !== undefined) {
    if (!scopes.allowsTemplate(template.key)) return mayNot(`the template "${template.key}"`);
  } else if (!scopes.allowsKind(kind)) return mayNot(`content of the kind ${kind}`);
  const receiver = receiversOf(message).find((each) => !scopes.allowsReceiver(each));
  if (receiver !== undefined) return mayNot(`to ${receiver}`);
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
