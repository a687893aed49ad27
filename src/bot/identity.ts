import type { Incoming } from '../channels/channel.ts';
import { Unavailable } from '../chat/index.ts';
import { principalText } from '../contract/principal.ts';
import { createTtlCache } from '../server/ttl-cache.ts';
import { type Caller, type OpsClient, unavailable } from './ops-client.ts';
import { sentences } from './sentences.ts';

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

/** What a user may do: operations by business unit. */
export type Rights = ReadonlyMap<string, ReadonlySet<string>>;

/** Who writes and what they may do. */
export type Identity = ReturnType<typeof createIdentity>;

/**
 * Makes what asks who writes and, of the platform, what they may do: the bot holds no policy of its own. Both answers are
 * believed for a while.
 */
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
  const askRights = async (caller: Caller): Promise<Rights> => {
    const units = Object.entries(await client.ask(caller, 'me', {}).catch(unavailable));
    if (units.length === 0) {
      onNoRights(caller.user);
      throw new Unavailable(sentences.noRights);
    }
    return new Map(units.map(([unit, operations]) => [unit, new Set(operations)]));
  };
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
      ask: askRights,
      now,
    }).get,
  };
}

/** Whether rights cover an operation: in the unit that was answered, or in any unit before one was chosen. */
export function covers(rights: Rights, operation: string, unit: unknown): boolean {
  if (unit !== undefined) return typeof unit === 'string' && rights.get(unit)?.has(operation) === true;
  return [...rights.values()].some((operations) => operations.has(operation));
}

type Writer = Pick<Incoming, 'channel' | 'user'>;

/** Who writes, as the platform knows them. */
export function principalOf({ channel, user }: Writer): string {
  return principalText({ channel: channel.name, account: channel.account, user });
}
