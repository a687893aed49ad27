import { InputError } from '../errors.ts';

/** A name as DNS and files of hosts have it, or an address of IPv6 in brackets. */
const HOST = /^(\[[\da-f:.]+\]|[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?\.?)$/i;
/** What the parser of URLs would drop or turn round without a word, as it is and as a code. */
const STRANGE = /[\s\\\p{Cc}]|%[01][\da-f]|%7f/iu;

/**
 * Reads an address of one of the schemes (with their colon), such as `redis://:password@host:6379`. Of what comes back every part may be
 * decoded, and a host is there. Throws an InputError that goes on from the name of a setting, for everything that would be read as
 * something else than it looks like.
 */
export function readUrl(text: string, schemes: readonly string[]): URL {
  const scheme = schemes.find((each) => text.toLowerCase().startsWith(`${each}//`));
  if (scheme === undefined) {
    throw new InputError(
      `must be an address that begins with ${schemes.map((each) => `${each}//`).join(' or ')}`,
    );
  }
  if (STRANGE.test(text)) {
    throw new InputError(
      'has a space, a backslash or a control character in it; remove it, or write its code such as %20 for a space',
    );
  }
  if (!isEncoded(text)) {
    throw new InputError('has a % in it that begins no code of two hex digits; write %25 for it');
  }
  if (text.includes('#')) {
    throw new InputError(
      'has a # in it, behind which nothing counts; remove it, or write %23 for one in a login',
    );
  }
  const authority = /^[^/?]*/.exec(text.slice(scheme.length + 2))?.[0] ?? '';
  if (/^([^@]*@)*(:\d*)?$/.test(authority)) throw new InputError('must name a host');
  const url = URL.parse(text);
  if (url === null || text.slice(scheme.length + 2 + authority.length).includes('@')) {
    throw new InputError(
      'cannot be read; a port is a number from 1 to 65535, and in a login / is written %2F, ? %3F, : %3A and @ %40',
    );
  }
  if (!HOST.test(url.hostname)) throw new InputError('must name a host in letters, digits, - and .');
  if (url.port === '0') throw new InputError('must have a port from 1 to 65535');
  return url;
}

/** Whether an address is of this machine, whose network nobody else reads. */
export function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/** The host of an address, without the brackets of IPv6. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

/** The login in an address, decoded; what it does not have is undefined. */
export function loginOf({ username, password }: URL) {
  const read = (text: string) => (text === '' ? undefined : decodeURIComponent(text));
  return { username: read(username), password: read(password) };
}

function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
