import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { readSigningKey, readVerifyingKeys } from '../../src/contract/keys.ts';

const directory = mkdtempSync(join(tmpdir(), 'keypad-keys-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const run = (out: string) =>
  promisify(execFile)(process.execPath, ['src/contract/make-keys.ts', '--out', out]);

test('npm run keys writes a pair that fits, keeps the secret to its owner, and never prints or overwrites it', async () => {
  const out = join(directory, 'new');
  const { stdout, stderr } = await run(out);
  const signingKeyFile = join(out, 'ops-signing-key.json');
  const signingKey = JSON.parse(readFileSync(signingKeyFile, 'utf8'));
  const verifyingKeys = JSON.parse(readFileSync(join(out, 'ops-verifying-keys.json'), 'utf8'));

  expect(readVerifyingKeys(verifyingKeys).has(readSigningKey(signingKey).kid)).toBe(true);
  expect(statSync(signingKeyFile).mode & 0o777).toBe(0o600);
  expect(stdout).toContain(`OPS_SIGNING_KEY_FILE=${signingKeyFile}`);
  expect(stdout).toContain('OPS_VERIFYING_KEYS_FILE=');
  expect(stdout + stderr).not.toContain(signingKey.d);

  await expect(run(out)).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('exists') });
  expect(JSON.parse(readFileSync(signingKeyFile, 'utf8'))).toEqual(signingKey);
});
