import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The app of a second enterprise. */
export const SHOP = {
  corpId: 'ww9999999999999999',
  agentId: 1_000_007,
  secret: 'shop-secret',
  token: 'ShopToken2026',
  encodingAesKey: 'BBECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8',
};

/** A folder with the secrets of {@link SHOP} in `token`, `aes` and `secret`, as a file of accounts names them. */
export function shopFolder() {
  const directory = mkdtempSync(join(tmpdir(), 'keypad-shop-'));
  /** Writes one more; its path. */
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  file('token', SHOP.token);
  file('aes', SHOP.encodingAesKey);
  file('secret', SHOP.secret);
  return { directory, file, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
