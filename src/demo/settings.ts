import type { Credentials } from './credentials.ts';
import type { DemoDatabases } from './databases.ts';
import type { DemoPorts } from './ports.ts';

/** What the settings of a demo are made from. */
export interface DemoParts {
  readonly credentials: Credentials;
  readonly ports: DemoPorts;
  readonly redisUrl: string;
  readonly databases: DemoDatabases;
  readonly kubeconfig: string;
  readonly policyFile: string;
  readonly menusDir: string;
}

type Settings = Readonly<Record<string, string>>;

const local = (port: number): string => `http://127.0.0.1:${port}`;

/** The environment of the bot's process. */
export function botSettings({
  credentials,
  ports,
  redisUrl,
  menusDir,
}: Omit<DemoParts, 'databases' | 'kubeconfig' | 'policyFile'>): Settings {
  return {
    WECOM_CORP_ID: credentials.corpId,
    WECOM_AGENT_ID: `${credentials.agentId}`,
    WECOM_TOKEN: credentials.token,
    WECOM_ENCODING_AES_KEY: credentials.encodingAesKey,
    WECOM_SECRET: credentials.secret,
    WECOM_API_URL: local(ports.phone),
    CALLBACK_ALLOWED_SOURCES: 'wecom,127.0.0.1',
    BOT_PORT: `${ports.bot}`,
    BOT_INTERNAL_PORT: `${ports.botInternal}`,
    REDIS_URL: redisUrl,
    OPS_URL: local(ports.ops),
    OPS_SIGNING_KEY: JSON.stringify(credentials.keys.signingKey),
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
}: Omit<DemoParts, 'redisUrl' | 'menusDir'>): Settings {
  return {
    OPS_PORT: `${ports.ops}`,
    OPS_INTERNAL_PORT: `${ports.opsInternal}`,
    OPS_ALLOWED_SOURCES: '127.0.0.1',
    OPS_VERIFYING_KEYS: JSON.stringify(credentials.keys.verifyingKeys),
    OPS_POLICY_FILE: policyFile,
    MYSQL_URL: databases.keypadUrl,
    KUBECONFIG: kubeconfig,
    OPS_MYSQL_TARGETS: JSON.stringify(databases.targets),
    OPS_AUDIT_KEY: credentials.auditKey,
  };
}

/** Everything an outside client needs to drive the demo, for `.demo/env`. */
export function clientSettings(parts: DemoParts): Settings {
  const { ports } = parts;
  return {
    BOT_CALLBACK_URL: `${local(ports.bot)}/wecom/callback`,
    PHONE_URL: local(ports.phone),
    ...botSettings(parts),
    ...opsSettings(parts),
  };
}
