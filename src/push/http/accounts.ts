import { z } from 'zod';
import { errcodeSchema } from '../content/fields.ts';
import { DEFAULT_ACCOUNT } from '../content/message.ts';
import { type Caller, Refusal, type Route, route } from './route.ts';

/** The accounts that are configured at this moment, as far as routes need to know them. */
export interface KnownAccounts {
  has(account: string): boolean;
}

/** Throws a Refusal when this app may not use an account, or there is none of this name. */
export function checkAccount({ app, scopes }: Caller, account: string, known: KnownAccounts): void {
  if (!scopes.allowsAccount(account)) {
    const words = scopes.words.join(', ');
    throw new Refusal(403, `The app "${app}" may not use the account "${account}"; its scopes are ${words}.`);
  }
  if (known.has(account)) return;
  const where = account === DEFAULT_ACCOUNT ? 'the WECOM_* variables' : 'ACCOUNTS_FILE';
  throw new Refusal(404, `account: there is no account "${account}"; ${where} would define it.`);
}

/** How an account fares, as far as the replica that answers knows. */
export const accountView = z.object({
  account: z.string(),
  state: z.enum(['active', 'blocked', 'paused', 'removed']),
  /** Deliveries that wait, in all replicas together; of very many the number of a moment ago. */
  queued: z.int(),
  since: z.iso.datetime().optional(),
  errcode: errcodeSchema.optional(),
  advice: z.string().optional(),
  nextProbeAt: z.iso.datetime().optional(),
  /** Of a blocked one: nothing is sent before. */
  until: z.iso.datetime().optional(),
});
export type AccountView = z.infer<typeof accountView>;

/** The route under /v1/accounts; an app sees those that it may use. */
export function accountRoutes(list: () => Promise<readonly AccountView[]>): readonly Route[] {
  return [
    route('GET /accounts', {
      summary:
        'The accounts that the app may use: whether WeCom refuses or blocks one, since or until when, why, and what to do about it.',
      answers: { 200: z.object({ accounts: z.array(accountView) }) },
      reply: async ({ caller }) => ({
        accounts: (await list()).filter(({ account }) => caller.scopes.allowsAccount(account)),
      }),
    }),
  ];
}
