import { InputError } from '../../errors.ts';
import type { App } from './app.ts';
import type { ApiAnswer, ApiRequest } from './call.ts';
import { readCallbackRange } from './callback-ranges.ts';
import { withRetry } from './retry.ts';

/** A member as `user/get` answers (§4.8); departments by id. */
export interface Member {
  readonly userid: string;
  readonly name: string;
  readonly departments: readonly number[];
}

/** The part of the server API that only reads (§4). */
export type WeComApi = ReturnType<typeof createWeComApi>;

/**
 * Makes the client that reads. Every call is repeated at most three times, and throws a WeComError when WeCom says no, an
 * InputError when its answer makes no sense. Messages are sent by the messenger.
 */
export function createWeComApi({ callWithToken, sleep }: App) {
  const call = (request: ApiRequest): Promise<ApiAnswer> =>
    // A failed gettoken was retried already when the token was fetched.
    withRetry(
      () => callWithToken(request),
      sleep,
      (error) => error.api === request.api,
    );
  return {
    /** The networks that callbacks come from, as CIDRs (§4.7). */
    callbackRanges: async (): Promise<readonly string[]> =>
      readRanges(await call({ api: 'getcallbackip', query: {} })),
    user: async (userid: string): Promise<Member> =>
      readMember(await call({ api: 'user/get', query: { userid } })),
  };
}

function readRanges({ ip_list: list }: ApiAnswer): readonly string[] {
  if (!Array.isArray(list) || list.length === 0)
    throw new InputError('getcallbackip answered without ip_list');
  return list.map((entry) => readCallbackRange(String(entry)));
}

function readMember({ userid, name, department }: ApiAnswer): Member {
  if (typeof userid !== 'string' || !Array.isArray(department)) {
    throw new InputError('user/get answered without userid and department');
  }
  return { userid, name: `${name ?? ''}`, departments: department.map(Number) };
}
