import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PushApp } from '../../demo/push-apps.ts';
import type { PrivateProcess } from '../../demo/servers/private-process.ts';
import { startRole } from '../../demo/servers/role-process.ts';
import { signRequest } from '../../src/push/apps/signature.ts';
import { createPushClient, type PushClient } from '../../src/push/client.ts';
import { pause } from './pause.ts';
import { choosePorts } from './ports.ts';
import type { PushAnswer } from './push-answer.ts';

/** One request as a test describes it; the body is what is signed. */
export interface Asking {
  readonly json?: unknown;
  readonly bytes?: string | Uint8Array<ArrayBuffer>;
  readonly contentType?: string;
}

export interface Answered {
  readonly status: number;
  readonly body: PushAnswer;
}

/** One process of the role, as `node src/main.ts push` starts it. */
export interface Replica {
  readonly url: string;
  readonly internalUrl: string;
  readonly client: PushClient;
  /** `line` is the method and the path with its query, such as `GET /v1/messages/1`. */
  ask(line: string, asking?: Asking): Promise<Answered>;
  /** Of the process, in MB. */
  memory(): number;
  /** `kill -9`; answers when the process is gone. */
  kill(): Promise<void>;
  /** Stops it with SIGSTOP until the function that comes back is called. */
  pause(): () => Promise<void>;
  /** Asks it with SIGTERM to end, and answers its exit code. */
  end(): Promise<number | null>;
  /** Starts it again, on the same ports. Answers when it is ready. */
  start(): Promise<void>;
}

/** What a replica is started with. */
export interface ReplicaParts {
  /** Its log goes to `<directory>/<number>/push.log`. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  readonly app: PushApp;
}

/** Starts one on free ports. */
export async function startReplica({ directory, env, app }: ReplicaParts, number: number): Promise<Replica> {
  const { push: port, pushInternal: internalPort } = await choosePorts();
  const url = `http://127.0.0.1:${port}`;
  const start = (): Promise<PrivateProcess> =>
    startRole({
      role: 'push',
      env: { ...env, PUSH_PORT: `${port}`, PUSH_INTERNAL_PORT: `${internalPort}` },
      internalPort,
      directory: join(directory, `${number}`),
    });
  let running = await start();
  const signal = async (name: 'SIGTERM' | 'SIGKILL'): Promise<number | null> => {
    const { process: child } = running;
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const gone = once(child, 'exit');
    child.kill(name);
    await gone;
    return child.exitCode;
  };
  return {
    url,
    internalUrl: `http://127.0.0.1:${internalPort}`,
    client: createPushClient({ url, ...app }),
    ask: (line, asking) => ask({ url, app }, line, asking),
    memory: () => {
      const status = readFileSync(`/proc/${running.process.pid}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
    },
    kill: async () => void (await signal('SIGKILL')),
    pause: () => pause(running.process),
    end: () => signal('SIGTERM'),
    start: async () => {
      running = await start();
    },
  };
}

async function ask(
  { url, app }: { readonly url: string; readonly app: PushApp },
  line: string,
  { json, bytes, contentType = 'application/json' }: Asking = {},
): Promise<Answered> {
  const [method = '', target = ''] = line.split(' ');
  const body = bytes ?? (json === undefined ? undefined : JSON.stringify(json));
  const response = await fetch(url + target, {
    method,
    headers: {
      ...signRequest(app, {
        method,
        target,
        now: Date.now(),
        nonce: randomUUID(),
        ...(body !== undefined && { body }),
      }),
      ...(body !== undefined && { 'content-type': contentType }),
    },
    ...(body !== undefined && { body }),
  });
  return { status: response.status, body: (await response.json()) as PushAnswer };
}
