import { InputError } from '../../errors.ts';

/**
 * Reads the query of a callback (protocol §1.2, §2.1) from the raw URL; `echostr` is there only when WeCom verifies the
 * URL. Decodes each value exactly once; a `+` stays a `+`, as base64 needs it
 * (protocol §9.1). Throws `InputError` when a value is missing, twice there, or not decodable.
 */
export function readSignedQuery(url: string) {
  const values = new Map<string, string>();
  const start = url.indexOf('?');
  for (const pair of start < 0 ? [] : url.slice(start + 1).split('&')) {
    const equals = pair.indexOf('=');
    const name = equals < 0 ? pair : pair.slice(0, equals);
    if (values.has(name)) throw new InputError(`the query has ${name} twice`);
    values.set(name, decode(equals < 0 ? '' : pair.slice(equals + 1)));
  }
  const need = (name: string): string => {
    const value = values.get(name);
    if (value === undefined || value === '') throw new InputError(`the query has no ${name}`);
    return value;
  };
  return {
    signature: need('msg_signature'),
    timestamp: need('timestamp'),
    nonce: need('nonce'),
    echostr: values.get('echostr'),
  };
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw new InputError('the query is not percent-encoded UTF-8');
  }
}
