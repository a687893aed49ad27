import { adviseOn, type Errcode, type ErrorKind } from './errcodes.ts';

/** A call of the server API that failed. `kind` says what a caller can do, `advice` what a person can (§4.13). */
export class WeComError extends Error {
  override readonly name = 'WeComError';
  /** The path of the API without `/cgi-bin/`, such as `message/send`. */
  readonly api: string;
  readonly errcode: Errcode;
  readonly kind: ErrorKind;
  readonly advice: string;

  constructor(api: string, errcode: Errcode, errmsg: string) {
    const { kind, advice } = adviseOn(errcode, errmsg);
    super(`${api} failed with ${errcode} (${errmsg}). ${advice}`);
    this.api = api;
    this.errcode = errcode;
    this.kind = kind;
    this.advice = advice;
  }
}
