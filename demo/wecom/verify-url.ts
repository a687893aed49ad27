import { randomBytes } from 'node:crypto';
import type { Clock, WeComApp } from './app.ts';
import type { Courier } from './courier.ts';
import { sealEcho } from './seal.ts';

/**
 * Checks the next callback URL as the console does when the form is saved: GET, answered within 1 s with the echo and
 * nothing else (protocol §1.2). Answers the problem, or undefined when the URL passes.
 */
export async function verifyUrl(app: WeComApp, courier: Courier, clock: Clock): Promise<string | undefined> {
  const echo = `${randomBytes(8).readBigUInt64BE()}`;
  const { body, problem } = await courier.get(sealEcho(app, echo, Math.floor(clock() / 1000)), 1000);
  return problem ?? (body === echo ? undefined : 'the answer is not the decrypted echostr');
}
