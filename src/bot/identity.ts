import type { Incoming } from '../chat/index.ts';
import type { Notifier } from './notifier.ts';
import type { Caller, OpsClient } from './ops-client.ts';
import { askRights, type Rights } from './rights.ts';
import { createTtlCache } from './ttl-cache.ts';

/** Who writes and what they may do. Both are asked elsewhere and believed for a while. */
export interface Identity {
  /** On whose behalf a message's calls are made. */
  callerOf(incoming: Pick<Incoming, 'user' | 'trace'>): Promise<Caller>;
  /** Throws `Unavailable` when the platform does not say, or there is no right at all. */
  rightsOf(caller: Caller): Promise<Rights>;
}

export interface IdentityParts {
  readonly notifier: Pick<Notifier, 'departments'>;
  readonly client: OpsClient;
  now(): number;
  onError(error: unknown, user: string): void;
}

const RIGHTS_MS = 30_000;
const DEPARTMENTS_MS = 60_000;

export function createIdentity({ notifier, client, now, onError }: IdentityParts): Identity {
  const departments = createTtlCache({
    milliseconds: DEPARTMENTS_MS,
    keyOf: (user: string) => user,
    // Without an answer the user is taken to be in no department: fewer rights for a minute, never more.
    ask: (user) =>
      notifier.departments(user).catch((error: unknown) => {
        onError(error, user);
        return [];
      }),
    now,
  });
  return {
    callerOf: async ({ user, trace }) => ({ user, departments: await departments(user), trace }),
    rightsOf: createTtlCache({
      milliseconds: RIGHTS_MS,
      keyOf: ({ user }: Caller) => user,
      ask: (caller: Caller) => askRights(client, caller),
      now,
    }),
  };
}
