import type { Incoming } from '../channels/channel.ts';
import { Unavailable } from '../chat/index.ts';
import { principalText } from '../contract/principal.ts';
import { createTtlCache } from '../server/ttl-cache.ts';
import { createDepartments } from './departments.ts';
import { type Caller, type OpsClient, unavailable } from './ops-client.ts';
import { sentences } from './sentences.ts';

interface IdentityParts {
  readonly client: OpsClient;
  /** Names what rights stand on; undefined when that is not known, and nothing that was asked before counts. */
  rightsBasis(): string | undefined;
  now(): number;
  onError(error: unknown, user: string): void;
  /** The policy gives this user nothing at all. */
  onNoRights(user: string): void;
}

const RIGHTS_MS = 30_000;
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
export function createIdentity({ client, rightsBasis, now, onError, onNoRights }: IdentityParts) {
  const departments = createDepartments({
    keyOf: principalOf,
    ask: (writer: Writer) => writer.channel.departments(writer.user),
    now,
    onError: (error, writer) => onError(error, principalOf(writer)),
  });
  const askRights = async (caller: Caller): Promise<Rights> => {
    const units = Object.entries(await client.ask(caller, 'me', {}).catch(unavailable));
    return new Map(units.map(([unit, operations]) => [unit, new Set(operations)]));
  };
  // Also that there is no right at all is remembered: each question is two rows of the audit, and nobody may flood it.
  const rights = createTtlCache<Caller & { readonly basis: string }, Rights>({
    milliseconds: RIGHTS_MS,
    size: MOST_USERS,
    keyOf: ({ user, departments, basis }) => `${user}\n${departments?.join() ?? '?'}\n${basis}`,
    ask: askRights,
    now,
  });
  return {
    /** On whose behalf a message's calls are made. */
    callerOf: async (writer: Writer & Pick<Incoming, 'trace'>): Promise<Caller> => ({
      user: principalOf(writer),
      departments: await departments.of(writer),
      trace: writer.trace,
    }),
    /** Throws `Unavailable` when the platform does not say, or there is no right at all. */
    async rightsOf(caller: Caller): Promise<Rights> {
      const basis = rightsBasis();
      const known = await (basis === undefined ? askRights(caller) : rights.get({ ...caller, basis }));
      if (known.size > 0) return known;
      if (caller.departments === undefined) throw new Unavailable(sentences.departmentsUnknown);
      onNoRights(caller.user);
      throw new Unavailable(sentences.noRights);
    },
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
