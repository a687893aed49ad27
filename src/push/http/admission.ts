import type { FastifyRequest } from 'fastify';
import type { Sources } from '../../server/sources.ts';
import type { Keys } from '../apps/keys.ts';
import { type Claimed, isNotAdmitted } from '../apps/verify-request.ts';
import type { Rates } from './rates.ts';
import { type Answer, type Caller, refuse } from './route.ts';

/** What is checked of every request before its route. */
export interface Admission {
  /** Before the body is read: the source address, the headers, the time. Returns a refusal, or nothing. */
  checkHeaders(request: FastifyRequest): Answer | undefined;
  /** With the hash of the body: the signature, the nonce, the app's own limit. For a streamed body the hash that its header names. */
  admit(request: FastifyRequest, bodyHash: string | 'claimed'): Promise<Admitted | Answer>;
}

/** A request that may go on. */
export interface Admitted {
  readonly caller: Caller;
  readonly bodyHash: string;
}

export interface AdmissionParts {
  readonly keys: Pick<Keys, 'readClaim' | 'verifyRequest'>;
  readonly sources: Sources;
  readonly rates: Rates;
}

/** Tells a refusal from what may go on. */
export function isAnswer(result: Admitted | Answer): result is Answer {
  return 'status' in result;
}

/** Makes the checks that every request passes before its route. */
export function createAdmission({ keys, sources, rates }: AdmissionParts): Admission {
  const claims = new WeakMap<FastifyRequest, Claimed>();
  return {
    checkHeaders(request) {
      if (!sources.allows(request.ip)) {
        return refuse(403, 'This source address may not call; add it to PUSH_ALLOWED_SOURCES.');
      }
      const claim = keys.readClaim(request.headers);
      if (isNotAdmitted(claim)) return refuse(claim.status, claim.error);
      claims.set(request, claim);
      return undefined;
    },
    async admit(request, hash) {
      const claim = claims.get(request);
      if (claim === undefined) throw new Error('the headers of this request were not checked');
      const bodyHash = hash === 'claimed' ? claim.contentHash : hash;
      if (bodyHash === undefined || !/^[0-9a-f]{64}$/.test(bodyHash)) {
        return refuse(401, 'Name the SHA-256 of the body, in hex, in X-Keypad-Content-SHA256, and sign it.');
      }
      const { method, url: target = '' } = request.raw;
      const app = await keys.verifyRequest(claim, { method: method ?? '', target, bodyHash });
      if (isNotAdmitted(app)) return refuse(app.status, app.error);
      const seconds = await rates.take(app.app, app.perMinute);
      if (seconds > 0) {
        const error = `This app may make ${app.perMinute} requests a minute; try again in ${seconds} s.`;
        return { ...refuse(429, error), headers: { 'retry-after': `${seconds}` } };
      }
      const { scopes, callbackHosts } = app;
      return { caller: { app: app.app, scopes, callbackHosts }, bodyHash };
    },
  };
}
