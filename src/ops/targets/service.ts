import { InputError, mayHaveArrived } from '../../errors.ts';
import type { HttpAnswer, HttpRequest, SendHttp } from '../../server/http-client.ts';
import { TargetFailed } from '../target-failed.ts';

/** One request to a service. */
export interface ServiceRequest extends Pick<HttpRequest, 'method' | 'headers' | 'body' | 'timeoutMs'> {
  /** Stands behind the base path of the policy. It begins with `/`; a value in it is written by {@link encoded}. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Whether an answer of that status is what was asked for; those from 200 to 299 when it is left out. */
  readonly expects?: ((status: number) => boolean) | undefined;
  /** It changes nothing, so that its failure leaves nothing in doubt. */
  readonly isLook?: boolean;
}

/** An HTTP service of a unit. */
export type Service = ReturnType<typeof openService>;

/** Where a service is, and what it is called. */
export interface ServiceParts {
  /** As the policy names it; it stands in the sentences for users. */
  readonly name: string;
  /** Origin and base path, without a slash at the end. */
  readonly url: string;
  readonly client: { readonly send: SendHttp };
  /** Hears why the service did not do what it was asked; for the log. */
  onFailure(error: TargetFailed): void;
}

/** Opens a service of the policy. */
export function openService({ name, url: base, client, onFailure }: ServiceParts) {
  /** A failure of the service, in words that follow its name, told to the log as well. */
  const failed = (sentence: string, options: ConstructorParameters<typeof TargetFailed>[1]): TargetFailed => {
    const error = new TargetFailed(`服务 ${name} ${sentence}`, options);
    onFailure(error);
    return error;
  };
  return {
    name,
    failed,
    /**
     * Sends a request once, and follows no redirect. Throws an InputError for a path that would leave the base path, and
     * TargetFailed without a whole answer of at most 1 MiB, or with another status than was asked for.
     */
    async send({ path, query, expects = isSuccess, isLook = false, ...request }: ServiceRequest) {
      const url = addressOf(base, path, query);
      const answer: HttpAnswer = await client.send({ ...request, url }).catch((cause: unknown) => {
        const arrived = mayHaveArrived(cause);
        const sentence = arrived ? '没有给出完整的回答（超时、中断或太长）' : '连不上，请稍后再试';
        throw failed(sentence, { mayHaveHappened: arrived && !isLook, cause });
      });
      const { status } = answer;
      if (expects(status)) return answer;
      const mayHaveHappened = !isLook && !isRefusal(status);
      throw failed(meaningOf(status), {
        mayHaveHappened,
        cause: new Error(`the service answered ${status}`),
      });
    },
  };
}

/** A value as it may stand in a path, a query, a header or a form: one value there, whatever is in it. */
export function encoded(value: string): string {
  return encodeURIComponent(value).replaceAll("'", '%27');
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** Whether a status says that the request was not carried out. A redirect often follows an effect. */
function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408;
}

function meaningOf(status: number): string {
  if (status === 401 || status === 403) return `不允许 Keypad 这样做（${status}）`;
  if (status === 404 || status === 410) return `里没有这个对象（${status}）`;
  if (status >= 500) return `出错了（${status}）`;
  if (status >= 300 && status < 400) return `要求转到别处，没有跟随（${status}）`;
  return `${status < 300 ? '的回答和预期不同' : '拒绝了请求'}（${status}）`;
}

function addressOf(base: string, path: string, query: ServiceRequest['query'] = {}): URL {
  const [first, ...segments] = path.split('/');
  if (first !== '' || /[?#]/.test(path) || segments.some(isOdd) || segments.slice(0, -1).includes('')) {
    throw new InputError('这个值不能放进服务的地址：里面有斜线，或者只有点');
  }
  const asked = Object.entries(query).map(([name, value]) => `${encoded(name)}=${encoded(value)}`);
  const text = `${base}${path}${asked.length > 0 ? '?' : ''}${asked.join('&')}`;
  const url = new URL(text);
  // Whatever the parser would drop or turn round, it is not what was written.
  if (url.href !== text) throw new InputError('这个值不能放进服务的地址');
  return url;
}

/** What some server or proxy, which decodes once more than it should, could take for a step out of the base path. */
function isOdd(segment: string): boolean {
  for (let text = segment; ; ) {
    if (/^\.\.?(;|$)|[/\\\p{Cc}]/u.test(text)) return true;
    const decoded = decode(text);
    if (decoded === undefined || decoded === text) return false;
    text = decoded;
  }
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
