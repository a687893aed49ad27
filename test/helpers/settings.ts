import { generateKeyPairSync } from 'node:crypto';
import { type Environment, type Role, readConfig } from '../../src/config.ts';
import { ConfigError } from '../../src/errors.ts';

/** A pair of keys, as the settings have them. */
export const jwk = { ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid: 'k1' };
const { d: _, ...publicOnly } = jwk;
export const publicJwk = publicOnly;

/** Settings of each role that it starts with; what is secret has `Secret` in it. */
export const bot: Environment = {
  WECOM_CORP_ID: 'ww0123456789abcdef',
  WECOM_AGENT_ID: '1000002',
  WECOM_TOKEN: 'TokenSecret1',
  WECOM_ENCODING_AES_KEY: 'AesSecret'.padEnd(43, '0'),
  CALLBACK_ALLOWED_SOURCES: 'wecom, 10.0.0.0/8',
  REDIS_URL: 'redis://:redis-Secret@127.0.0.1:6379',
  OPS_URL: 'https://ops.internal:8081/',
  OPS_SIGNING_KEY: JSON.stringify(jwk),
  PUSH_URL: 'http://push.internal:8083?plain-http',
  PUSH_APP_ID: 'keypad-bot',
  PUSH_APP_KEY: 'app-key-Secret'.padEnd(43, '0'),
};
export const ops: Environment = {
  OPS_ALLOWED_SOURCES: '10.1.2.0/24',
  OPS_VERIFYING_KEYS: JSON.stringify({ keys: [publicJwk] }),
  OPS_POLICY_FILE: '/etc/keypad/policy.yaml',
  MYSQL_URL: 'mysql://keypad:mysql-Secret@127.0.0.1:3306/keypad',
  KUBECONFIG: '/etc/keypad/kubeconfig',
  OPS_MYSQL_TARGETS: '{"shop-db":"mysql://keypad:shop-Secret@127.0.0.1:3306"}',
  OPS_AUDIT_KEY: 'audit-Secret'.padEnd(32, '0'),
  OPS_PUSH_URL: 'http://push.internal:8083?plain-http',
  OPS_PUSH_APP_ID: 'keypad-ops',
  OPS_PUSH_APP_KEY: 'ops-app-key-Secret'.padEnd(43, '0'),
};
export const push: Environment = {
  WECOM_CORP_ID: 'ww0123456789abcdef',
  WECOM_AGENT_ID: '1000002',
  WECOM_SECRET: 'app-Secret',
  PUSH_ACCOUNT_LIMIT: '500',
  REDIS_URL: 'redis://:redis-Secret@127.0.0.1:6379',
  PUSH_ALLOWED_SOURCES: '10.0.0.0/8',
  PUSH_MYSQL_URL: 'mysql://keypad:push-Secret@127.0.0.1:3306/keypad_push',
  PUSH_MASTER_KEY: 'master-Secret'.padEnd(32, '0'),
  PUSH_ROBOTS: '{"ops-room":"robot-Secret"}',
};
/** Those of all roles. */
export const environment: Environment = { ...bot, ...ops, ...push };

/** What keeps a role from starting with these settings. */
export function problemsOf(role: Role, env: Environment): readonly string[] {
  try {
    readConfig(role, env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}
