import { z } from 'zod';
import { InputError } from '../../errors.ts';
import type { WeComApi } from '../../wecom/api/api.ts';
import { WeComError } from '../../wecom/api/wecom-error.ts';
import { normalizeUserId, USERID } from '../../wecom/userid.ts';
import { accountSchema, errcodeSchema } from '../content/fields.ts';
import { checkAccount } from '../http/accounts.ts';
import { type Answer, type Caller, Refusal, type Route, route } from '../http/route.ts';

type Directory = Pick<WeComApi, 'user' | 'callbackRanges'>;
/** The client of an account; undefined when there is no such account. */
export type WeComOf = (account: string) => Directory | undefined;

const query = z.strictObject({ account: accountSchema });
const failed = z
  .object({ error: z.string(), errcode: errcodeSchema, advice: z.string() })
  .describe('WeCom refuses, or cannot be reached.');

/** The answers beside 200. */
const refusals = { 404: 'There is no such account.', 502: failed };

const malformed = {
  errcode: 'lost',
  advice: 'Try again; if it stays so, look into the log of message delivery.',
};

/** What WeCom knows of members and of its own addresses, for those who do not hold the app secret. */
export function directoryRoutes(weComOf: WeComOf): readonly Route[] {
  /** What WeCom answered; its refusals with their errcode, and what is no proper answer as a failure of WeCom. */
  const ask = async (
    caller: Caller,
    account: string,
    read: (weCom: Directory) => Promise<unknown>,
  ): Promise<Answer> => {
    checkAccount(caller, account, { has: (name) => weComOf(name) !== undefined });
    try {
      return { status: 200, body: await read(weComOf(account) as Directory) };
    } catch (error) {
      // With an InputError the answer of WeCom is malformed, not the request of the caller.
      if (!(error instanceof WeComError || error instanceof InputError)) throw error;
      const { errcode, advice } = error instanceof WeComError ? error : malformed;
      return { status: 502, body: { error: error.message, errcode, advice } };
    }
  };
  return [
    route('GET /directory/users/:userid', {
      summary: 'A member: name, and departments by id.',
      query,
      answers: {
        200: z.object({ userid: z.string(), name: z.string(), departments: z.array(z.int()) }),
        ...refusals,
      },
      async handle({ caller, params: { userid = '' }, query: { account } }) {
        if (!USERID.test(userid)) {
          throw new Refusal(400, 'The path names no userid, 1 to 64 letters, digits and _ - . @.');
        }
        return ask(caller, account, (weCom) => weCom.user(normalizeUserId(userid)));
      },
    }),
    route('GET /directory/callback-ranges', {
      summary: "The networks that WeCom's callbacks come from, as CIDRs.",
      query,
      answers: { 200: z.object({ ranges: z.array(z.string()) }), ...refusals },
      handle: ({ caller, query: { account } }) =>
        ask(caller, account, async (weCom) => ({ ranges: await weCom.callbackRanges() })),
    }),
  ];
}
