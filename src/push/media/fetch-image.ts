import { lookup as lookupDns } from 'node:dns/promises';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { InputError } from '../../errors.ts';
import { MAX_BYTES, pictureOf } from './media-type.ts';
import { isPublicAddress } from './public-address.ts';

/** A picture from the internet. */
export interface FetchedImage {
  readonly kind: 'image';
  readonly name: string;
  readonly bytes: Buffer;
}

/**
 * Fetches a picture (JPG or PNG, at most 10 MB, within 10 s, at most 3 redirects) from the public internet and nowhere
 * else. Throws an InputError that tells nothing of what stands at the address.
 */
export type FetchImage = (url: string, options?: { readonly signal?: AbortSignal }) => Promise<FetchedImage>;

/** An address as DNS gives it. */
export interface Address {
  readonly address: string;
  readonly family: number;
}

export interface FetchImageParts {
  /** All addresses of a host. */
  readonly lookup?: (host: string) => Promise<readonly Address[]>;
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
}: FetchImageParts = {}): FetchImage {
  function readTarget(text: string, base?: URL): URL {
    const url = text.length <= MAX_URL ? URL.parse(text, base?.href) : null;
    if (url === null || !/^https?:$/.test(url.protocol)) throw refusal('must be an http or https address');
    if (url.username !== '' || url.password !== '') throw refusal('must not hold a login');
    if (!isWebPort(url.port)) throw refusal('must use the port of its scheme, 80 or 443');
    return url;
  }

  /** Every address must be public; one sentence for all reasons, so that nobody learns our DNS from it. */
  async function addressesOf(url: URL): Promise<readonly Address[]> {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const family = isIP(host);
    const all = family === 0 ? await lookup(host).catch(() => []) : [{ address: host, family }];
    if (all.length === 0 || !all.every(({ address }) => isPublic(address))) {
      throw refusal('must be at a host with public addresses only');
    }
    return all;
  }

  return async (text, { signal } = {}) => {
    const limit = AbortSignal.any([AbortSignal.timeout(LIMIT_MS), ...(signal === undefined ? [] : [signal])]);
    let url = readTarget(text);
    for (let redirects = 0; redirects <= REDIRECTS; redirects += 1) {
      const addresses = await orAborted(addressesOf(url), limit);
      const answer = await get(url, addresses, limit);
      if ('bytes' in answer) return readImage(answer.bytes);
      url = readTarget(answer.location, url);
    }
    throw refusal(`was redirected more than ${REDIRECTS} times`);
  };
}

type Got = { readonly bytes: Buffer } | { readonly location: string };

/** One GET, to one of these addresses and no other: the name is not looked up again, so no second answer counts. */
function get(url: URL, addresses: readonly Address[], signal: AbortSignal): Promise<Got> {
  const { promise, resolve, reject } = Promise.withResolvers<Got>();
  const fail = (): void => reject(refusal('could not be fetched within 10 s'));
  const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
    agent: false,
    signal,
    headers: { accept: 'image/png, image/jpeg', 'accept-encoding': 'identity', 'user-agent': 'keypad' },
    lookup: (_host, { all }, done) => {
      const [first] = addresses;
      if (all) done(null, [...addresses]);
      else done(null, first?.address ?? '', first?.family ?? 4);
    },
  });
  request.on('error', fail);
  request.on('response', (response) => {
    const { statusCode = 0, headers } = response;
    if ([301, 302, 303, 307, 308].includes(statusCode) && headers.location !== undefined) {
      resolve({ location: headers.location });
      return request.destroy();
    }
    if (statusCode !== 200) {
      reject(refusal('was not answered with 200'));
      return request.destroy();
    }
    const chunks: Buffer[] = [];
    let length = 0;
    response.on('error', fail);
    response.on('aborted', fail);
    response.on('data', (chunk: Buffer) => {
      length += chunk.length;
      chunks.push(chunk);
      if (length <= MAX_BYTES.image) return;
      reject(refusal('must be at most 10 MB'));
      request.destroy();
    });
    response.on('end', () => resolve({ bytes: Buffer.concat(chunks) }));
  });
  request.end();
  return promise;
}

function readImage(bytes: Buffer): FetchedImage {
  const picture = pictureOf(bytes);
  if (picture === null) throw refusal('must be a JPG or PNG');
  return { kind: 'image', name: `image.${picture}`, bytes };
}

/** A lookup cannot be called off: whoever waits for it goes, and its answer counts no more. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(refusal('could not be fetched within 10 s'));
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  return Promise.race([work, promise]).finally(() => signal.removeEventListener('abort', stop));
}

function refusal(problem: string): InputError {
  return new InputError(`imageUrl: ${problem}`);
}
