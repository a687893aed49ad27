import { InputError } from '../errors.ts';
import { isRecord, readJson } from './json.ts';
import { serverUrl } from './network.ts';

const mysqlServer = serverUrl(['mysql:']);

/** The MySQL instances that operations may reach: instance name → `mysql://` address; `{}` when there are none. */
export function mysqlTargets(text: string): Readonly<Record<string, string>> {
  const targets = readJson(text);
  if (!isRecord(targets)) {
    throw new InputError(
      'must be a JSON object of instance names and mysql:// addresses; {} when there are none',
    );
  }
  return Object.freeze(
    Object.fromEntries(Object.entries(targets).map(([name, url]) => [name, readTarget(name, url)])),
  );
}

function readTarget(name: string, url: unknown): string {
  if (typeof url !== 'string') throw new InputError(`gives "${name}" no mysql:// address`);
  try {
    return mysqlServer(url);
  } catch (error) {
    throw error instanceof InputError ? new InputError(`gives "${name}" what ${error.message}`) : error;
  }
}
