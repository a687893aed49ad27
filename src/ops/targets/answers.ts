import { ApiException, type V1ListMeta } from '@kubernetes/client-node';
import type { Unread } from '../../contract/operation.ts';
import { mayHaveArrived, Refused } from '../../errors.ts';
import { cutShort } from '../listing.ts';
import { TargetFailed } from '../target-failed.ts';

interface KubernetesObject {
  readonly kind?: string;
}

type List<T> = KubernetesObject & { readonly items?: readonly T[]; readonly metadata?: V1ListMeta };

/**
 * Makes what takes the answers of one cluster, which `cluster` names in the sentences for users. The client's errors carry
 * whole responses: what is thrown, and told to `onFailure`, has nothing of these but the status.
 */
export function createAnswers(cluster: string, onFailure: (error: TargetFailed) => void) {
  const failed = (sentence: string, options: { mayHaveHappened: boolean; cause?: unknown }): TargetFailed => {
    const error = new TargetFailed(`${cluster}${sentence}`, options);
    onFailure(error);
    return error;
  };
  const notUnderstood = (mayHaveHappened: boolean, why: string): TargetFailed =>
    failed('的地址上回答的不是 Kubernetes', { mayHaveHappened, cause: new Error(why) });

  const answered = (what: string, code: number, mayHaveArrived: boolean): Error => {
    if (code === 404) return new Refused('missing', `集群里没有 ${what}`);
    if (code === 409) return new Refused('moved', `${what} 刚刚被改动过`);
    const cause = new Error(`the cluster answered ${code}`);
    const options = { mayHaveHappened: mayHaveArrived && (code >= 500 || code === 408), cause };
    const isDenied = code === 401 || code === 403;
    return failed(isDenied ? `不允许 Keypad 这样做（${code}）` : `拒绝了请求（${code}）`, options);
  };
  const errorOf = (what: string, cause: unknown, mayHaveHappened: boolean): Error => {
    if (cause instanceof TargetFailed) {
      onFailure(cause);
      return cause;
    }
    if (cause instanceof Refused) return cause;
    if (cause instanceof ApiException) return answered(what, cause.code, mayHaveHappened);
    // The parser's own error would quote the answer.
    if (cause instanceof SyntaxError || cause instanceof TypeError)
      return notUnderstood(mayHaveHappened, 'the answer is no JSON of an object');
    return failed('连不上，请稍后再试', { mayHaveHappened, cause });
  };
  /** What stands in front of a cluster may answer anything with 200. */
  const ofKind = <T extends KubernetesObject>(
    kind: string,
    answer: T | null,
    mayHaveHappened: boolean,
  ): T => {
    if (answer?.kind === kind) return answer;
    throw notUnderstood(mayHaveHappened, `the answer is no ${kind}`);
  };
  /** The answer to a request that changes nothing. */
  const read = async <T extends KubernetesObject>(
    what: string,
    kind: string,
    request: Promise<T>,
  ): Promise<T> => {
    const answer = await request.catch((cause: unknown) => {
      throw errorOf(what, cause, false);
    });
    return ofKind(kind, answer, false);
  };
  return {
    read,
    async listed<T>(
      namespace: string,
      kind: string,
      request: Promise<List<T>>,
    ): Promise<readonly T[] & Unread> {
      const { items, metadata } = await read(namespace, kind, request);
      if (!Array.isArray(items)) throw notUnderstood(false, 'the list has no items');
      return metadata?._continue ? cutShort(items, '前') : items;
    },
    /** The answer to a request for a text, such as a log. */
    text: async (what: string, request: Promise<string>): Promise<string> =>
      String(
        await request.catch((cause: unknown) => {
          throw errorOf(what, cause, false);
        }),
      ),
    /** The answer to a deletion: the object as it goes, or that it is gone. */
    async removed(what: string, request: Promise<KubernetesObject>): Promise<void> {
      const { kind } = await request.catch((cause: unknown) => {
        throw errorOf(what, cause, mayHaveArrived(cause));
      });
      if (kind === undefined) throw notUnderstood(true, 'the answer is no object');
    },
    async written(what: string, kind: string, request: Promise<KubernetesObject>): Promise<void> {
      const answer = await request.catch((cause: unknown) => {
        throw errorOf(what, cause, mayHaveArrived(cause));
      });
      ofKind(kind, answer, true);
    },
  };
}
