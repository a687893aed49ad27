import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { choosePort } from '../helpers/ports.ts';
import {
  AUDIT_KEY,
  CACHE_TOKEN,
  COMMAND_USER,
  type OpsHarness,
  signedRequest,
  until,
  verifyingKeys,
} from './ops-harness.ts';

/** A platform in a process of its own, as it runs in production. */
export async function startOpsProcess(
  harness: OpsHarness,
  settings: Readonly<Record<string, string>> = {},
): Promise<{ url: string; child: ChildProcess }> {
  const [port, internalPort] = [await choosePort(), await choosePort()];
  const keysFile = `${harness.directory}/keys.json`;
  writeFileSync(keysFile, JSON.stringify(verifyingKeys));
  const env = {
    OPS_PORT: String(port),
    OPS_INTERNAL_PORT: String(internalPort),
    OPS_ALLOWED_SOURCES: '127.0.0.1',
    OPS_VERIFYING_KEYS_FILE: keysFile,
    OPS_POLICY_FILE: harness.policyFile,
    MYSQL_URL: harness.mysqlUrl,
    KUBECONFIG: `${harness.directory}/kubeconfig`,
    OPS_MYSQL_TARGETS: JSON.stringify({ 'shop-db': harness.serverUrl, 'pay-db': harness.serverUrl }),
    OPS_AUDIT_KEY: AUDIT_KEY,
    CACHE_TOKEN,
    OPS_PUSH_URL: harness.push.url,
    OPS_PUSH_APP_ID: harness.push.app,
    OPS_PUSH_APP_KEY: harness.push.key,
    ...(COMMAND_USER && { OPS_COMMAND_USER: `${COMMAND_USER.uid}:${COMMAND_USER.gid}` }),
    ...settings,
  };
  const child = spawn(process.execPath, ['src/main.ts', 'ops'], { env, stdio: 'ignore' });
  const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`it ended with ${code}`)));
  const ready = until(() =>
    fetch(`http://127.0.0.1:${internalPort}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  await Promise.race([ready, ended]);
  ended.catch(() => {});
  return { url: `http://127.0.0.1:${port}`, child };
}

/** Posts to that process as zhangsan. */
export function postTo(base: string) {
  return async (path: string, body: unknown) => {
    const { url, method, headers, payload } = await signedRequest(path, body);
    const response = await fetch(base + url, { method, headers, body: payload });
    return (await response.json()) as { state: string; preview?: { id: string; hash: string } };
  };
}
