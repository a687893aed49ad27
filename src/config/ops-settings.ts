import { mysqlTargets } from './databases.ts';
import { verifyingKeys } from './keys.ts';
import { cidrs, host, port, serverUrl } from './network.ts';
import { type Setting, secret } from './setting.ts';
import { matching, path } from './text.ts';

/** Settings of the ops platform. */
export const opsSettings = {
  OPS_HOST: {
    audience: 'ops',
    about: 'Address that the ops platform listens on.',
    example: '0.0.0.0',
    fallback: '127.0.0.1',
    read: host,
  },
  OPS_PORT: {
    audience: 'ops',
    about: 'Port of the ops platform.',
    example: '8081',
    fallback: '8081',
    read: port,
  },
  OPS_INTERNAL_PORT: {
    audience: 'ops',
    about: 'Port of /healthz, /readyz and /metrics of the ops platform.',
    example: '9081',
    fallback: '9081',
    read: port,
  },
  OPS_ALLOWED_SOURCES: {
    audience: 'ops',
    about: 'Addresses and CIDRs of the bot; nobody else may call the ops platform.',
    example: '10.1.2.0/24',
    read: cidrs,
  },
  OPS_VERIFYING_KEYS: {
    audience: 'ops',
    about: 'Public keys whose signatures count; old and new stand side by side while a key is changed.',
    example: 'public Ed25519 JWKS, made by: npm run keys',
    file: true,
    read: verifyingKeys,
  },
  OPS_POLICY_FILE: {
    audience: 'ops',
    about: 'Who may do what where (YAML); see deploy/policy.yaml.',
    example: '/etc/keypad/policy.yaml',
    read: path,
  },
  MYSQL_URL: secret({
    audience: 'ops',
    about: 'Database of operations and audit.',
    example: 'mysql://keypad:password@mysql.internal:3306/keypad',
    read: serverUrl(['mysql:'], /^\/[^/]+$/),
  }),
  KUBECONFIG: {
    audience: 'ops',
    about: 'Kubeconfig whose contexts the policy names.',
    example: '/etc/keypad/kubeconfig',
    read: path,
  },
  OPS_MYSQL_TARGETS: secret({
    audience: 'ops',
    about: 'MySQL instances that operations may reach, as JSON; {} when there are none.',
    example: '{"shop-db":"mysql://keypad:password@shop-db.internal:3306"}',
    read: mysqlTargets,
  }),
  OPS_AUDIT_KEY: secret({
    audience: 'ops',
    about: 'Key of the audit chain; keep a copy where the database administrators cannot read it.',
    example: 'at least 32 characters, made by: openssl rand -base64 33',
    read: matching(/^.{32,}$/, 'at least 32 characters on one line; make one with: openssl rand -base64 33'),
  }),
} as const satisfies Readonly<Record<string, Setting>>;
