import { InputError } from '../../errors.ts';

/**
 * Reads the query of a callback (protocol §1.2, §2.1) from the raw URL; `echostr` is there only when WeCom verifies the
 * URL. Each value is decoded exactly once. Throws `InputError` when a value is missing or twice there.
 */
export function readSignedQuery(url: string) {
  const start = url.indexOf('?');
  // A + stays a +, as base64 needs it (protocol §9.1).
  const values = new URLSearchParams(start < 0 ? '' : url.slice(start + 1).replaceAll('+', '%2B'));
  const read = (name: string): string | undefined => {
    const [value, second] = values.getAll(name);
    if (second !== undefined) throw new InputError(`the query has ${name} twice`);
    return value;
  };
  const need = (name: string): string => {
    const value = read(name) ?? '';
    if (value === '') throw new InputError(`the query has no ${name}`);
    return value;
  };
  return {
    signature: need('msg_signature'),
    timestamp: need('timestamp'),
    nonce: need('nonce'),
    echostr: read('echostr'),
  };
}
