import { InputError } from '../errors.ts';
import { mysqlUrl } from './network.ts';
import { about, readEach } from './text.ts';

/** What a JSON text says; `undefined` when it is none. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Narrows to a JSON object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The MySQL instances that operations may reach: instance name → `mysql://` address; `{}` when there are none. */
export function mysqlTargets(text: string): Readonly<Record<string, string>> {
  return named(text, 'instance names and mysql:// addresses', (name, url) => {
    if (typeof url !== 'string') throw new InputError(`gives "${name}" no mysql:// address`);
    return about(`gives "${name}" what`, () => mysqlUrl(url));
  });
}

/** Group robots: name → the key of the webhook, which is all that it takes to send (protocol §5); `{}` when there are none. */
export function robots(text: string): Readonly<Record<string, string>> {
  return named(text, 'robot names and webhook keys', (name, key) => {
    if (!/^[\w.-]{1,64}$/.test(name)) {
      throw new InputError('names a robot with other signs than letters, digits and _ . -, or with over 64');
    }
    if (typeof key !== 'string' || !/^[\w-]{8,128}$/.test(key)) {
      throw new InputError(`gives "${name}" no key; it stands behind key= in the address of the webhook`);
    }
    return key;
  });
}

/** A JSON object whose entries are read one by one; `expected` says what it holds. */
function named(
  text: string,
  expected: string,
  read: (name: string, value: unknown) => string,
): Readonly<Record<string, string>> {
  const entries = readJson(text);
  if (!isRecord(entries)) {
    throw new InputError(`must be a JSON object of ${expected}; {} when there are none`);
  }
  return Object.freeze(
    Object.fromEntries(readEach(Object.entries(entries), ([name, value]) => [name, read(name, value)])),
  );
}
