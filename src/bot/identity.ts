import type { Incoming } from '../channels/channel.ts';
import { principalText } from '../contract/principal.ts';
import { createTtlCache } from '../server/ttl-cache.ts';
import type { Caller, OpsClient } from './ops-client.ts';
import { askRights } from './rights.ts';

interface IdentityParts {
  readonly client: OpsClient;
  now(): number;
  onError(error: unknown, user: string): void;
  /** The policy gives this user nothing at all. */
  onNoRights(user: string): void;
}

const RIGHTS_MS = 30_000;
const DEPARTMENTS_MS = 60_000;
/** So many users are remembered. */
const MOST_USERS = 10_000;

/** Who writes and what they may do. */
export type Identity = ReturnType<typeof createIdentity>;

/** Makes what asks who writes and what they may do; both answers are believed for a while. */
export function createIdentity({ client, now, onError, onNoRights }: IdentityParts) {
  const departments = createTtlCache({
    milliseconds: DEPARTMENTS_MS,
    size: MOST_USERS,
    keyOf: principalOf,
    // Without an answer the user is taken to be in no department: fewer rights for a minute, never more.
    ask: (writer: Writer) =>
      writer.channel.departments(writer.user).catch((error: unknown) => {
        onError(error, principalOf(writer));
        return [];
      }),
    now,
  });
  return {
    /** On whose behalf a message's calls are made. */
    callerOf: async (writer: Writer & Pick<Incoming, 'trace'>): Promise<Caller> => ({
      user: principalOf(writer),
      departments: await departments.get(writer),
      trace: writer.trace,
    }),
    /** Throws `Unavailable` when the platform does not say, or there is no right at all. */
    rightsOf: createTtlCache({
      milliseconds: RIGHTS_MS,
      size: MOST_USERS,
      keyOf: ({ user }: Caller) => user,
      ask: (caller: Caller) => askRights(client, caller, () => onNoRights(caller.user)),
      now,
    }).get,
  };
}

type Writer = Pick<Incoming, 'channel' | 'user'>;

/** Who writes, as the platform knows them. */
export function principalOf({ channel, user }: Writer): string {
  return principalText({ channel: channel.name, account: channel.account, user });
}
