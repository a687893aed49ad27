import { InputError } from '../errors.ts';
import { isRecord, readJson } from './json.ts';

/** Group robots: name → the key of the webhook, which is all that it takes to send (protocol §5); `{}` when there are none. */
export function robots(text: string): Readonly<Record<string, string>> {
  const named = readJson(text);
  if (!isRecord(named)) {
    throw new InputError('must be a JSON object of robot names and webhook keys; {} when there are none');
  }
  return Object.freeze(
    Object.fromEntries(Object.entries(named).map(([name, key]) => [name, readKey(name, key)])),
  );
}

function readKey(name: string, key: unknown): string {
  if (!/^[\w.-]{1,64}$/.test(name)) {
    throw new InputError('names a robot with other signs than letters, digits and _ . -, or with over 64');
  }
  if (typeof key !== 'string' || !/^[\w-]{8,128}$/.test(key)) {
    throw new InputError(`gives "${name}" no key; it stands behind key= in the address of the webhook`);
  }
  return key;
}
