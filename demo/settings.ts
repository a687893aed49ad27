import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Credentials } from './credentials.ts';
import type { PushApp, PushApps } from './push-apps.ts';
import type { DemoDatabases } from './servers/databases.ts';
import type { DemoPorts } from './servers/ports.ts';

/** What the settings of a demo are made from. */
export interface DemoParts {
  readonly credentials: Credentials;
  readonly ports: DemoPorts;
  readonly redisUrl: string;
  readonly databases: DemoDatabases;
  readonly apps: PushApps;
  readonly kubeconfig: string;
  readonly policyFile: string;
  /** Holds the token of the demo's caches, which an operation of `operations/app` names. */
  readonly cacheTokenFile: string;
  readonly menusDir: string;
  readonly operationsDir: string;
}

type Settings = Readonly<Record<string, string>>;

const local = (port: number): string => `http://127.0.0.1:${port}`;

/** The environment of the bot's process. */
export function botSettings({
  credentials,
  ports,
  redisUrl,
  menusDir,
  apps,
}: Omit<
  DemoParts,
  'databases' | 'kubeconfig' | 'policyFile' | 'cacheTokenFile' | 'operationsDir'
>): Settings {
  return {
    WECOM_CORP_ID: credentials.corpId,
    WECOM_AGENT_ID: `${credentials.agentId}`,
    WECOM_TOKEN: credentials.token,
    WECOM_ENCODING_AES_KEY: credentials.encodingAesKey,
    CALLBACK_ALLOWED_SOURCES: 'wecom,127.0.0.1',
    BOT_PORT: `${ports.bot}`,
    BOT_INTERNAL_PORT: `${ports.botInternal}`,
    REDIS_URL: redisUrl,
    OPS_URL: local(ports.ops),
    OPS_SIGNING_KEY: JSON.stringify(credentials.keys.signingKey),
    ...appSettings('PUSH', ports, apps.bot),
    MENUS_DIR: menusDir,
  };
}

/** The environment of the ops platform's process. */
export function opsSettings({
  credentials,
  ports,
  databases,
  kubeconfig,
  policyFile,
  cacheTokenFile,
  operationsDir,
  apps,
}: Omit<DemoParts, 'redisUrl' | 'menusDir'>): Settings {
  return {
    OPS_PORT: `${ports.ops}`,
    OPS_INTERNAL_PORT: `${ports.opsInternal}`,
    OPS_ALLOWED_SOURCES: '127.0.0.1',
    OPS_VERIFYING_KEYS: JSON.stringify(credentials.keys.verifyingKeys),
    OPS_POLICY_FILE: policyFile,
    CACHE_TOKEN_FILE: cacheTokenFile,
    MYSQL_URL: databases.keypadUrl,
    OPERATIONS_DIR: operationsDir,
    ...(process.getuid?.() === 0 && { OPS_COMMAND_USER: commandUserFor(operationsDir) }),
    KUBECONFIG: kubeconfig,
    OPS_MYSQL_TARGETS: JSON.stringify(databases.targets),
    OPS_AUDIT_KEY: credentials.auditKey,
    ...appSettings('OPS_PUSH', ports, apps.ops),
  };
}

/** The environment of message delivery's process. */
export function pushSettings({
  credentials,
  ports,
  databases,
}: Pick<DemoParts, 'credentials' | 'ports' | 'databases'>): Settings {
  return {
    WECOM_CORP_ID: credentials.corpId,
    WECOM_AGENT_ID: `${credentials.agentId}`,
    WECOM_SECRET: credentials.secret,
    WECOM_API_URL: local(ports.phone),
    PUSH_PORT: `${ports.push}`,
    PUSH_INTERNAL_PORT: `${ports.pushInternal}`,
    PUSH_ALLOWED_SOURCES: '127.0.0.1',
    PUSH_MYSQL_URL: databases.pushUrl,
    PUSH_MASTER_KEY: credentials.masterKey,
    PUSH_ACCOUNT_LIMIT: '10000',
    PUSH_ROBOTS: JSON.stringify({ [DEMO_ROBOT]: credentials.robotKey }),
  };
}

/** The name of the demo's group robot. */
export const DEMO_ROBOT = 'ops-room';

function appSettings(prefix: string, ports: DemoPorts, { app, key }: PushApp): Settings {
  return { [`${prefix}_URL`]: local(ports.push), [`${prefix}_APP_ID`]: app, [`${prefix}_APP_KEY`]: key };
}

/** Everything an outside client needs to drive the demo, for `.demo/env`. */
export function clientSettings(parts: DemoParts): Settings {
  const { ports } = parts;
  return {
    BOT_CALLBACK_URL: `${local(ports.bot)}/wecom/callback`,
    PHONE_URL: local(ports.phone),
    ...botSettings(parts),
    ...opsSettings(parts),
    ...pushSettings(parts),
    // The app of outside clients, not the bot's: its scopes allow everything.
    ...appSettings('PUSH', ports, parts.apps.client),
  };
}

/**
 * Settings as a file that Node's --env-file and a shell's `.` read alike. What means something to either of them, such as
 * the space in a folder's name, stands in quotes.
 */
export function envFile(settings: Settings): string {
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${quoted(value)}\n`);
  return lines.join('');
}

function quoted(value: string): string {
  if (!/[\s#'`$\\;&|<>()]/.test(value)) return value;
  return value.includes("'") ? `"${value}"` : `'${value}'`;
}

/** Root runs no program of an operation itself, unless nobody else gets to its folder, as in the home of root. */
function commandUserFor(operationsDir: string): string {
  const isOpen = (folder: string): boolean => {
    const isHere = (statSync(folder).mode & 0o001) !== 0;
    return isHere && (dirname(folder) === folder || isOpen(dirname(folder)));
  };
  return isOpen(operationsDir) ? 'nobody' : 'root';
}
