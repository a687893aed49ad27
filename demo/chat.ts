import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { InputError } from '../src/errors.ts';
import { openTerminalPhone } from './terminal-phone.ts';

/** `npm run chat [user]`: a phone in the terminal against the running demo, which leaves its address in `.demo/env`. */
try {
  const url = readPhoneUrl(new URL('../.demo/env', import.meta.url));
  const user = process.argv[2] ?? 'zhangsan';
  await openTerminalPhone({ url, user, input: process.stdin, output: process.stdout });
} catch (error) {
  if (!(error instanceof InputError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

function readPhoneUrl(file: URL): string {
  let settings: NodeJS.Dict<string> = {};
  try {
    settings = parseEnv(readFileSync(file, 'utf8'));
  } catch {
    // No file: the demo never ran here, which is the same to whoever wants to chat.
  }
  if (!settings.PHONE_URL) throw new InputError('The demo is not running; start it with: npm run demo');
  return settings.PHONE_URL;
}
