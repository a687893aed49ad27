import { cidrs, host, serverUrl } from './network.ts';
import { type Setting, secret } from './setting.ts';
import { integer, matching, oneOf, path } from './text.ts';

const NOBODY: readonly string[] = Object.freeze([]);

/** Settings that more than one role reads. */
export const sharedSettings = {
  WECOM_CORP_ID: {
    audience: 'all',
    about: 'Id of the enterprise (企业ID): WeCom admin console, 我的企业.',
    example: 'ww0123456789abcdef',
    read: matching(/^[A-Za-z0-9_-]{1,64}$/, 'a corp id such as ww0123456789abcdef'),
  },
  WECOM_AGENT_ID: {
    audience: 'all',
    about: 'AgentId of the self-built app: WeCom admin console, the page of the app.',
    example: '1000002',
    read: integer(0, 4_294_967_295),
  },
  ACCOUNTS_FILE: {
    audience: 'all',
    about:
      'Further apps, of this enterprise or of others (YAML), see deploy/README.md; with it all of WECOM_CORP_ID, WECOM_AGENT_ID, WECOM_TOKEN, WECOM_ENCODING_AES_KEY, CALLBACK_ALLOWED_SOURCES, WECOM_SECRET and PUSH_ACCOUNT_LIMIT may be unset, but not some of them.',
    example: '/etc/keypad/accounts.yaml',
    fallback: '',
    read: (text: string) => (text === '' ? undefined : path(text)),
  },
  REDIS_URL: secret({
    audience: 'all',
    about: 'Redis: sessions and deduplication of the bot, queue and limits of message delivery.',
    example: 'redis://:password@redis.internal:6379',
    read: serverUrl(['redis:', 'rediss:']),
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
