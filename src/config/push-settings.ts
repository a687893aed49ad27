import { cidrs, host, httpsUrl, port, serverUrl } from './network.ts';
import { robots } from './robots.ts';
import { type Setting, secret } from './setting.ts';
import { integer, matching } from './text.ts';

/** Settings of message delivery. */
export const pushSettings = {
  WECOM_SECRET: secret({
    audience: 'push',
    about: 'Secret of the app.',
    example: 'as shown on the page of the app',
    read: matching(/^[\x21-\x7e]{1,128}$/, 'one word without spaces; copy it from the page of the app'),
  }),
  WECOM_API_URL: {
    audience: 'push',
    about: 'Where the WeCom server API is reached; plain http on loopback only.',
    example: 'https://qyapi.weixin.qq.com',
    fallback: 'https://qyapi.weixin.qq.com',
    read: httpsUrl,
  },
  PUSH_HOST: {
    audience: 'push',
    about: 'Address that the API of message delivery listens on.',
    example: '0.0.0.0',
    fallback: '127.0.0.1',
    read: host,
  },
  PUSH_PORT: {
    audience: 'push',
    about: 'Port of the API of message delivery.',
    example: '8083',
    fallback: '8083',
    read: port,
  },
  PUSH_INTERNAL_PORT: {
    audience: 'push',
    about: 'Port of /healthz, /readyz, /metrics and the queue view of message delivery.',
    example: '9083',
    fallback: '9083',
    read: port,
  },
  PUSH_ALLOWED_SOURCES: {
    audience: 'push',
    about: 'Addresses and CIDRs of the systems that send messages; nobody else may call the API.',
    example: '10.0.0.0/8',
    read: cidrs,
  },
  PUSH_MYSQL_URL: secret({
    audience: 'push',
    about: 'Database of messages and templates.',
    example: 'mysql://keypad:password@mysql.internal:3306/keypad_push',
    read: serverUrl(['mysql:'], /^\/[^/]+$/),
  }),
  PUSH_MASTER_KEY: secret({
    audience: 'push',
    about: 'The keys of all apps are derived from it; who changes it makes all of them void.',
    example: 'at least 32 characters, made by: openssl rand -base64 33',
    read: matching(/^.{32,}$/, 'at least 32 characters on one line; make one with: openssl rand -base64 33'),
  }),
  PUSH_ACCOUNT_LIMIT: {
    audience: 'push',
    about:
      'Account limit of the enterprise (帐号上限): the app may send 200 times as many messages a day, one for each receiver.',
    example: '500',
    read: integer(1, 10_000_000),
  },
  PUSH_ROBOTS: secret({
    audience: 'push',
    about:
      'Group robots that apps may send through, as JSON: name and the key in the webhook address; {} when there are none.',
    example: '{"ops-room":"693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"}',
    read: robots,
  }),
  PUSH_CONCURRENCY: {
    audience: 'push',
    about: 'How many messages of one lane a process sends at the same time.',
    example: '50',
    fallback: '50',
    read: integer(1, 1000),
  },
} as const satisfies Readonly<Record<string, Setting>>;
