import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeKeyPair } from './keys.ts';

/** Writes a new pair into two files of `directory`, the private one readable by its owner only. Throws EEXIST rather than overwrite. */
async function writeKeys(directory: string) {
  const { signingKey, verifyingKeys } = await makeKeyPair();
  const signingKeyFile = join(directory, 'ops-signing-key.json');
  const verifyingKeysFile = join(directory, 'ops-verifying-keys.json');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeFileSync(signingKeyFile, `${JSON.stringify(signingKey)}\n`, { flag: 'wx', mode: 0o600 });
  writeFileSync(verifyingKeysFile, `${JSON.stringify(verifyingKeys)}\n`, { flag: 'wx', mode: 0o644 });
  return { signingKeyFile, verifyingKeysFile };
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { out: { type: 'string', default: 'keys' } } });
  const { signingKeyFile, verifyingKeysFile } = await writeKeys(values.out);
  console.log(`A new Ed25519 pair is made.

  bot   OPS_SIGNING_KEY_FILE=${signingKeyFile}      (secret, mode 600: give it to the bot only)
  ops   OPS_VERIFYING_KEYS_FILE=${verifyingKeysFile}   (public)

To change keys without a pause: list the new public key in the platform's file beside the old one,
restart the platform, then the bot with the new private key, and take the old key out of the list.`);
}

if (import.meta.main) {
  await main().catch((error: NodeJS.ErrnoException) => {
    const taken = error.code === 'EEXIST';
    console.error(taken ? `${error.path} exists; move it away or give another --out` : error.message);
    process.exitCode = 1;
  });
}
