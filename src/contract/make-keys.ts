import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeKeyPair } from './keys.ts';

/**
 * `npm run keys [-- --out <folder>]`: writes a new pair into two files, the private one readable by its owner only. Throws
 * EEXIST rather than overwrite.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { out: { type: 'string', default: 'keys' } } });
  const { signingKey, verifyingKeys } = await makeKeyPair();
  const signingKeyFile = join(values.out, 'ops-signing-key.json');
  const verifyingKeysFile = join(values.out, 'ops-verifying-keys.json');
  mkdirSync(values.out, { recursive: true, mode: 0o700 });
  writeFileSync(signingKeyFile, `${JSON.stringify(signingKey)}\n`, { flag: 'wx', mode: 0o600 });
  writeFileSync(verifyingKeysFile, `${JSON.stringify(verifyingKeys)}\n`, { flag: 'wx', mode: 0o644 });
  console.log(`A new Ed25519 pair is made.

  bot   OPS_SIGNING_KEY_FILE=${signingKeyFile}      (secret, mode 600: give it to the bot only)
  ops   OPS_VERIFYING_KEYS_FILE=${verifyingKeysFile}   (public)

To change keys without a pause: list the new public key in the platform's file beside the old one,
restart the platform, then the bot with the new private key, and take the old key out of the list.`);
}

await main().catch((error: NodeJS.ErrnoException) => {
  const taken = error.code === 'EEXIST';
  console.error(taken ? `${error.path} exists; move it away or give another --out` : error.message);
  process.exitCode = 1;
});
