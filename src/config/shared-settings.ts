import { cidrs, host, internalUrl, port, redisUrl } from './network.ts';
import { type Settings, secret } from './setting.ts';
import { integer, matching, path } from './text.ts';

const NOBODY: readonly string[] = Object.freeze([]);

/** Settings that more than one role reads. */
export const shared = {
  corpId: {
    name: 'WECOM_CORP_ID',
    about: 'Id of the enterprise (企业ID): WeCom admin console, 我的企业.',
    example: 'ww0123456789abcdef',
    read: matching(/^[A-Za-z0-9_-]{1,64}$/, 'a corp id such as ww0123456789abcdef'),
  },
  agentId: {
    name: 'WECOM_AGENT_ID',
    about: 'AgentId of the self-built app: WeCom admin console, the page of the app.',
    example: '1000002',
    read: integer(0, 4_294_967_295),
  },
  accountsFile: {
    name: 'ACCOUNTS_FILE',
    about:
      'Further apps, of this enterprise or of others (YAML), see deploy/README.md; with it all of WECOM_CORP_ID, WECOM_AGENT_ID, WECOM_TOKEN, WECOM_ENCODING_AES_KEY, CALLBACK_ALLOWED_SOURCES, WECOM_SECRET and PUSH_ACCOUNT_LIMIT may be unset, but not some of them.',
    example: '/etc/keypad/accounts.yaml',
    fallback: '',
    read: (text: string) => (text === '' ? undefined : path(text)),
  },
  redisUrl: secret({
    name: 'REDIS_URL',
    about: 'Redis: sessions and deduplication of the bot; rediss:// for TLS.',
    example: 'redis://:password@redis.internal:6379',
    read: redisUrl,
  }),
  trustedProxies: {
    name: 'TRUSTED_PROXIES',
    about: 'Addresses and CIDRs of proxies whose X-Forwarded-For is believed; unset: none.',
    example: '10.0.0.5',
    fallback: '',
    read: (text: string) => (text === '' ? NOBODY : cidrs(text)),
  },
} as const satisfies Settings;

/** Settings of every role. */
export const commonSettings = {
  logLevel: {
    name: 'LOG_LEVEL',
    about: 'Least severe log line that is written.',
    example: 'info',
    fallback: 'info',
    read: matching(/^(fatal|error|warn|info|debug|trace)$/, 'one of fatal, error, warn, info, debug, trace'),
  },
  internalHost: {
    name: 'INTERNAL_HOST',
    about: 'Address that /healthz, /readyz and /metrics listen on.',
    example: '0.0.0.0',
    fallback: '127.0.0.1',
    read: host,
  },
} as const satisfies Settings;

/** Where a role listens: `X_HOST`, `X_PORT`, and `X_INTERNAL_PORT` for its metrics. */
export function listening(parts: {
  readonly prefix: string;
  readonly listener: string;
  readonly role: string;
  readonly port: number;
}) {
  const { prefix, listener, role } = parts;
  const portSetting = (name: string, about: string, number: number) => {
    const usual = `${number}`;
    return { name: `${prefix}_${name}`, about, example: usual, fallback: usual, read: port };
  };
  return {
    host: {
      name: `${prefix}_HOST`,
      about: `Address that ${listener} listens on.`,
      example: '0.0.0.0',
      fallback: '127.0.0.1',
      read: host,
    },
    port: portSetting('PORT', `Port of ${listener}.`, parts.port),
    internalPort: portSetting(
      'INTERNAL_PORT',
      `Port of /healthz, /readyz and /metrics of ${role}.`,
      parts.port + 1000,
    ),
  };
}

/** How a role calls message delivery: `X_URL`, `X_APP_ID`, `X_APP_KEY`. `options` are those that `app-key` makes its app with. */
export function pushClient(parts: {
  readonly prefix: string;
  readonly role: string;
  readonly app: string;
  readonly options: string;
}) {
  const { prefix, role, app, options } = parts;
  return {
    pushUrl: {
      name: `${prefix}_URL`,
      about: `Where ${role} reaches message delivery. Plain http to another machine needs ?plain-http behind the address.`,
      example: 'https://push.internal:8083',
      read: internalUrl('v1'),
    },
    pushAppId: {
      name: `${prefix}_APP_ID`,
      about: `The app that ${role} is at message delivery.`,
      example: app,
      read: matching(/^[a-z0-9][a-z0-9_-]{0,31}$/, `the id of an app such as ${app}`),
    },
    pushAppKey: secret({
      name: `${prefix}_APP_KEY`,
      about: 'Key of that app.',
      example: `as printed by: npm run app-key -- create ${app} ${options}`,
      read: matching(/^[\w-]{43}$/, '43 letters, digits, - and _, as printed when the key was made'),
    }),
  };
}
