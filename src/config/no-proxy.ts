import { isIPv6 } from 'node:net';
import { InputError } from '../errors.ts';
import { readNoProxy } from '../server/no-proxy.ts';
import { readEach } from './text.ts';

const NAME = /^(\*|(\*?\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?)(:\d{1,5})?$/i;

/** What is called without a proxy (server/no-proxy.ts); the text comes back as it is. */
export function noProxy(text: string): string {
  const { names } = readNoProxy(text);
  readEach(names, (name) => {
    const [, bracketed = name] = /^\[(.+)\](?::\d{1,5})?$/.exec(name) ?? [];
    if (NAME.test(name) || isIPv6(bracketed)) return;
    throw new InputError(
      `has "${name.slice(0, 60)}", which excepts nothing; write host.example, .example, 10.1.2.3 or 10.0.0.0/8, with :<port> behind a host if it is for that alone`,
    );
  });
  return text;
}
