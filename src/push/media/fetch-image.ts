import type { LookupAddress } from 'node:dns';
import { lookup as lookupDns } from 'node:dns/promises';
import { once } from 'node:events';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { InputError } from '../../errors.ts';
import { pictureOf } from '../../wecom/api/media-form.ts';
import { MAX_BYTES } from './media-type.ts';
import { isPublicAddress } from './public-address.ts';

export interface FetchImageParts {
  /** All addresses of a host. */
  readonly lookup?: (host: string) => Promise<readonly LookupAddress[]>;
  /** What may be connected to; only tests give another answer than the public internet on 80 and 443. */
  readonly isPublic?: (address: string) => boolean;
  readonly isWebPort?: (port: string) => boolean;
}

const REDIRECTS = 3;
const LIMIT_MS = 10_000;
const MAX_URL = 2048;

/** Makes the one way in which an address that an app names is fetched. */
export function createFetchImage({
  lookup = (host) => lookupDns(host, { all: true }),
  isPublic = isPublicAddress,
  // The URL parser leaves out the port that the scheme has anyway.
  isWebPort = (port) => port === '',
}: FetchImageParts = {}) {
  function readTarget(text: string, base?: URL): URL {
    const url = text.length <= MAX_URL ? URL.parse(text, base?.href) : null;
    if (url === null || !/^https?:$/.test(url.protocol)) throw refusal('must be an http or https address');
    if (url.username !== '' || url.password !== '') throw refusal('must not hold a login');
    if (!isWebPort(url.port)) throw refusal('must use the port of its scheme, 80 or 443');
    // A host that is an address is connected to without a lookup.
    const host = url.hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) !== 0) checkAddresses([{ address: host, family: isIP(host) }]);
    return url;
  }

  /** Every address must be public; one sentence for all reasons, so that nobody learns our DNS from it. */
  function checkAddresses(all: readonly LookupAddress[]): void {
    if (all.length > 0 && all.every(({ address }) => isPublic(address))) return;
    throw refusal('must be at a host with public addresses only');
  }

  /** What is connected to is what was checked: the name is looked up once. */
  const lookupPublic: LookupFunction = (host, options, done) => {
    lookup(host)
      .catch(() => [])
      .then((all) => {
        checkAddresses(all);
        if (options.all) done(null, [...all]);
        else done(null, all[0]?.address ?? '', all[0]?.family);
      })
      .catch((error: Error) => done(error, ''));
  };

  /** One GET: the bytes of the answer, or where it points to. */
  async function get(url: URL, signal: AbortSignal): Promise<Buffer | string> {
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
      agent: false,
      signal,
      headers: { accept: 'image/png, image/jpeg', 'accept-encoding': 'identity', 'user-agent': 'keypad' },
      lookup: lookupPublic,
    });
    // It may fail once more when nobody waits for it.
    request.on('error', () => {});
    try {
      request.end();
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      const { statusCode = 0, headers } = response;
      if ([301, 302, 303, 307, 308].includes(statusCode) && headers.location !== undefined) {
        return headers.location;
      }
      if (statusCode !== 200) throw refusal('was not answered with 200');
      const chunks: Buffer[] = [];
      let length = 0;
      for await (const chunk of response) {
        length += chunk.length;
        if (length > MAX_BYTES.image) throw refusal('must be at most 10 MB');
        chunks.push(chunk);
      }
      return Buffer.concat(chunks);
    } catch (error) {
      throw error instanceof InputError ? error : refusal('could not be fetched within 10 s');
    } finally {
      request.destroy();
    }
  }

  /**
   * Fetches a picture (JPG or PNG, at most 10 MB, within 10 s, at most 3 redirects) from the public internet and nowhere
   * else. Throws an InputError that tells nothing of what stands at the address.
   */
  return async (text: string, { signal }: { readonly signal?: AbortSignal } = {}) => {
    const limit = AbortSignal.any([AbortSignal.timeout(LIMIT_MS), ...(signal === undefined ? [] : [signal])]);
    let url = readTarget(text);
    for (let redirects = 0; redirects <= REDIRECTS; redirects += 1) {
      const got = await get(url, limit);
      if (typeof got !== 'string') return readImage(got);
      url = readTarget(got, url);
    }
    throw refusal(`was redirected more than ${REDIRECTS} times`);
  };
}

function readImage(bytes: Buffer) {
  const picture = pictureOf(bytes);
  if (picture === null) throw refusal('must be a JPG or PNG');
  return { kind: 'image', name: `image.${picture}`, bytes } as const;
}

function refusal(problem: string): InputError {
  return new InputError(`imageUrl: ${problem}`);
}
