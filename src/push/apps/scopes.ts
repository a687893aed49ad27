import { InputError } from '../../errors.ts';
import { type ContentKind, contentKinds } from '../content/content.ts';
import { DEFAULT_ACCOUNT, type Receiver, readReceiver, receiverWords } from '../content/message.ts';

/** What an app may do. */
export type Scopes = ReturnType<typeof readScopes>;

/** Scopes that routes take. */
export const routeScopes = ['templates', 'campaigns', 'directory'] as const;
export type RouteScope = (typeof routeScopes)[number];

/** The root of every enterprise: it holds everybody. */
const ROOT = 'party:1';

const plain: readonly string[] = [...contentKinds, ...routeScopes, 'template', 'to:all'];
const targets = Object.values(receiverWords);
const TARGET = new RegExp(`^to:(${targets.join('|')})(:[\\w.@-]{1,64})?$`);
const ACCOUNT = /^account:(\*|[a-z][a-z0-9-]{0,31})$/;
const TEMPLATE = /^template:[\w.-]{1,32}$/;

/** Reads the scopes of an app; without a `to:` word it may send to users only. Throws an InputError that names the unknown word. */
export function readScopes(words: readonly string[]) {
  const patterns = [TARGET, TEMPLATE, ACCOUNT];
  const unknown = words.find((word) => !plain.includes(word) && !patterns.some((each) => each.test(word)));
  if (unknown !== undefined) {
    throw new InputError(
      `"${unknown}" is no scope; use ${plain.join(', ')}, template:KEY, account:NAME, account:*, or to: with ${targets.join(', ')} and perhaps :ID`,
    );
  }
  if (words.length === 0) throw new InputError('An app needs at least one scope, such as text.');
  // Userids are the same in any case (§4.8); receivers come in lower case.
  const has = new Set(words.map((word) => (word.startsWith('to:users:') ? word.toLowerCase() : word)));
  const isBounded = words.some((word) => word.startsWith('to:'));
  return {
    /** As they were given, e.g. `text`, `to:robots:ops-room`, `templates`. */
    words: [...words] as readonly string[],
    /** Whether it may hand in content of this kind that is no template's. */
    allowsKind: (kind: ContentKind): boolean => has.has(kind),
    allowsTemplate: (key: string): boolean => has.has('template') || has.has(`template:${key}`),
    allowsReceiver(receiver: Receiver): boolean {
      if (receiver === 'user:@all' || receiver === ROOT) return has.has('to:all');
      const { kind, id } = readReceiver(receiver);
      if (!isBounded) return kind === 'user';
      const word = `to:${receiverWords[kind]}`;
      if (has.has(`${word}:${id}`)) return true;
      // A tag may hold the root, which only WeCom knows: any of them is for who may write to everybody.
      return has.has(word) && (kind !== 'tag' || has.has('to:all'));
    },
    /** The default account is for every app; any other takes `account:NAME` or `account:*`. */
    allowsAccount: (account: string): boolean =>
      account === DEFAULT_ACCOUNT || has.has('account:*') || has.has(`account:${account}`),
    /** Whether it may use routes that take this scope. */
    allows: (scope: RouteScope): boolean => has.has(scope),
  };
}
