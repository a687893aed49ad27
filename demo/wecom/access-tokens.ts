import { randomBytes } from 'node:crypto';
import { ApiError } from './api-error.ts';
import type { Clock, WeComApp } from './app.ts';

const LIFETIME_SECONDS = 7200;

/** The access tokens of one app (protocol §4.1). */
export interface AccessTokens {
  /** The token of this moment: the same one while it is valid, a new one after that. */
  issue(corpId: string | undefined, secret: string | undefined): { token: string; expiresIn: number };
  /** Throws 41001, 40014 or 42001 unless the token is the valid one. */
  check(token: string | undefined): void;
  /** Makes the present token invalid before its time, as the server may (40014 from then on). */
  revoke(): void;
}

/** Makes the tokens of `app`; none is issued yet. */
export function createAccessTokens(app: WeComApp, clock: Clock): AccessTokens {
  let current = { token: '', expires: 0 };
  let last = '';
  const isValid = (): boolean => clock() < current.expires;

  return {
    issue: (corpId, secret) => {
      if (!corpId) throw new ApiError(41002);
      if (!secret) throw new ApiError(41004);
      if (corpId !== app.corpId) throw new ApiError(40013);
      if (secret !== app.secret) throw new ApiError(40001);
      if (!isValid()) {
        last = current.token;
        current = {
          token: randomBytes(160).toString('base64url'),
          expires: clock() + LIFETIME_SECONDS * 1000,
        };
      }
      return { token: current.token, expiresIn: Math.ceil((current.expires - clock()) / 1000) };
    },
    check: (token) => {
      if (!token) throw new ApiError(41001);
      if (token === last || (token === current.token && !isValid())) throw new ApiError(42001);
      if (token !== current.token) throw new ApiError(40014);
    },
    revoke: () => {
      current = { token: '', expires: 0 };
      last = '';
    },
  };
}
