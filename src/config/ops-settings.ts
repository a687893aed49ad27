import { readVerifyingKeys } from '../contract/keys.ts';
import { mysqlTargets, readJson } from './json.ts';
import { machineUser } from './machine-user.ts';
import { cidrs, mysqlDatabaseUrl } from './network.ts';
import { type Settings, secret } from './setting.ts';
import { listening, pushClient, shared } from './shared-settings.ts';
import { about, matching, path } from './text.ts';

/** Settings of the ops platform. */
export const opsSettings = {
  trustedProxies: shared.trustedProxies,
  ...listening({ prefix: 'OPS', listener: 'the ops platform', role: 'the ops platform', port: 8081 }),
  allowedSources: {
    name: 'OPS_ALLOWED_SOURCES',
    about: 'Addresses and CIDRs of the bot; nobody else may call the ops platform.',
    example: '10.1.2.0/24',
    read: cidrs,
  },
  verifyingKeys: {
    name: 'OPS_VERIFYING_KEYS',
    about: 'Public keys whose signatures count; old and new stand side by side while a key is changed.',
    example: 'public Ed25519 JWKS, made by: npm run keys',
    file: true,
    read: (text: string) => about('cannot be used:', () => readVerifyingKeys(readJson(text))),
  },
  policyFile: {
    name: 'OPS_POLICY_FILE',
    about: 'Who may do what where (YAML); see deploy/policy.yaml.',
    example: '/etc/keypad/policy.yaml',
    read: path,
  },
  operationsDir: {
    name: 'OPERATIONS_DIR',
    about: 'Folder of the operations, a file each; see docs/operations.md.',
    example: './operations',
    fallback: './operations',
    read: path,
  },
  commandUser: {
    name: 'OPS_COMMAND_USER',
    about:
      'User that the programs of operations run as when the platform runs as root: a name, or uid:gid. As root none is run unless this says root.',
    example: 'nobody',
    fallback: '',
    read: machineUser,
  },
  mysqlUrl: secret({
    name: 'MYSQL_URL',
    about: 'Database of operations and audit; with ?ssl-mode=VERIFY_IDENTITY behind it TLS is made.',
    example: 'mysql://keypad:password@mysql.internal:3306/keypad',
    read: mysqlDatabaseUrl,
  }),
  kubeconfig: {
    name: 'KUBECONFIG',
    about: 'Kubeconfig whose contexts the policy names; several with : between them are merged.',
    example: '/etc/keypad/kubeconfig',
    read: path,
  },
  mysqlTargets: secret({
    name: 'OPS_MYSQL_TARGETS',
    about:
      'MySQL instances that operations may reach, as JSON; {} when there are none. With ?ssl-mode=VERIFY_IDENTITY behind an address TLS is made.',
    example: '{"shop-db":"mysql://keypad:password@shop-db.internal:3306"}',
    read: mysqlTargets,
  }),
  auditKey: secret({
    name: 'OPS_AUDIT_KEY',
    about: 'Key of the audit chain; keep a copy where the database administrators cannot read it.',
    example: 'at least 32 characters, made by: openssl rand -base64 33',
    read: matching(/^.{32,}$/, 'at least 32 characters on one line; make one with: openssl rand -base64 33'),
  }),
  adoptsRows: {
    name: 'OPS_ADOPT_ROWS',
    about:
      'yes for one start after an update from 0.1: what that version left open is gone on with. Otherwise such rows stop the start.',
    example: 'yes',
    fallback: 'no',
    read: (text: string) => matching(/^(?:yes|no)$/, 'yes or no')(text) === 'yes',
  },
  ...pushClient({
    prefix: 'OPS_PUSH',
    role: 'the ops platform',
    app: 'keypad-ops',
    options: '--scope text --scope to:users --per-minute 6000',
  }),
} as const satisfies Settings;
