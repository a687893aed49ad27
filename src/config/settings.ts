import { mysqlTargets } from './databases.ts';
import { signingKey, verifyingKeys } from './keys.ts';
import { callbackSources, cidrs, host, httpsUrl, internalUrl, port, serverUrl } from './network.ts';
import { type Setting, secret } from './setting.ts';
import { integer, matching, oneOf } from './text.ts';

const path = matching(/\S/, 'a path');
const NOBODY: readonly string[] = Object.freeze([]);

/** Every setting of Keypad. `.env.example` is printed from this table, and a test holds the two equal. */
export const settings = {
  WECOM_CORP_ID: {
    audience: 'bot',
    about: 'Id of the enterprise (企业ID): WeCom admin console, 我的企业.',
    example: 'ww0123456789abcdef',
    read: matching(/^[A-Za-z0-9_-]{1,64}$/, 'a corp id such as ww0123456789abcdef'),
  },
  WECOM_AGENT_ID: {
    audience: 'bot',
    about: 'AgentId of the self-built app: WeCom admin console, the page of the app.',
    example: '1000002',
    read: integer(0, 4_294_967_295),
  },
  WECOM_TOKEN: secret({
    audience: 'bot',
    about: 'Token of the app: page 接收消息 → API接收.',
    example: 'at most 32 letters and digits',
    read: matching(/^[A-Za-z0-9]{1,32}$/, '1 to 32 letters and digits; copy it from the page of the app'),
  }),
  WECOM_ENCODING_AES_KEY: secret({
    audience: 'bot',
    about: 'EncodingAESKey of the app, on the same page as the token.',
    example: '43 letters and digits',
    read: matching(/^[A-Za-z0-9]{43}$/, '43 letters and digits; copy it from the page of the app'),
  }),
  WECOM_SECRET: secret({
    audience: 'bot',
    about: 'Secret of the app; the bot needs it to push results and to look up callback addresses.',
    example: 'as shown on the page of the app',
    read: matching(/^[\x21-\x7e]{1,128}$/, 'one word without spaces; copy it from the page of the app'),
  }),
  WECOM_API_URL: {
    audience: 'bot',
    about: 'Where the WeCom server API is reached; plain http on loopback only.',
    example: 'https://qyapi.weixin.qq.com',
    fallback: 'https://qyapi.weixin.qq.com',
    read: httpsUrl,
  },
  CALLBACK_ALLOWED_SOURCES: {
    audience: 'bot',
    about:
      'Who may call /wecom/callback: addresses and CIDRs; the word wecom stands for the ranges that WeCom publishes.',
    example: 'wecom,10.0.0.0/8',
    read: callbackSources,
  },
  BOT_HOST: {
    audience: 'bot',
    about: 'Address that the callback listens on.',
    example: '0.0.0.0',
    fallback: '127.0.0.1',
    read: host,
  },
  BOT_PORT: {
    audience: 'bot',
    about: 'Port of the callback.',
    example: '8080',
    fallback: '8080',
    read: port,
  },
  BOT_INTERNAL_PORT: {
    audience: 'bot',
    about: 'Port of /healthz, /readyz and /metrics of the bot.',
    example: '9080',
    fallback: '9080',
    read: port,
  },
  REDIS_URL: secret({
    audience: 'bot',
    about: 'Redis for sessions and deduplication.',
    example: 'redis://:password@redis.internal:6379',
    read: serverUrl(['redis:', 'rediss:']),
  }),
  OPS_URL: {
    audience: 'bot',
    about:
      'Where the bot reaches the ops platform. Plain http to another machine needs ?plain-http behind the address.',
    example: 'https://ops.internal:8081',
    read: internalUrl,
  },
  OPS_SIGNING_KEY: secret({
    audience: 'bot',
    about: 'Private key that signs requests to the ops platform.',
    example: 'private Ed25519 JWK, made by: npm run keys',
    read: signingKey,
  }),
  MENUS_DIR: {
    audience: 'bot',
    about: 'Folder of the menu entries.',
    example: './menus',
    fallback: './menus',
    read: path,
  },
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
  TRUSTED_PROXIES: {
    audience: 'all',
    about: 'Addresses and CIDRs of proxies whose X-Forwarded-For is believed; unset: none.',
    example: '10.0.0.5',
    fallback: '',
    read: (text: string) => (text === '' ? NOBODY : cidrs(text)),
  },
  LOG_LEVEL: {
    audience: 'all',
    about: 'Least severe log line that is written.',
    example: 'info',
    fallback: 'info',
    read: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace']),
  },
  INTERNAL_HOST: {
    audience: 'all',
    about: 'Address that /healthz, /readyz and /metrics listen on.',
    example: '0.0.0.0',
    fallback: '127.0.0.1',
    read: host,
  },
} as const satisfies Readonly<Record<string, Setting>>;

/** The name of a setting. */
export type SettingName = keyof typeof settings;

/** The value that a setting is read into. */
export type ValueOf<N extends SettingName> = ReturnType<(typeof settings)[N]['read']>;
