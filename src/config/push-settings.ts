import { robots } from './json.ts';
import { cidrs, httpsUrl, mysqlDatabaseUrl, proxyUrl } from './network.ts';
import { noProxy } from './no-proxy.ts';
import { type Settings, secret } from './setting.ts';
import { listening, shared } from './shared-settings.ts';
import { integer, matching } from './text.ts';

const { corpId, agentId, accountsFile, trustedProxies } = shared;

/** What message delivery knows of an app: enough to send. */
export const pushAccountSettings = {
  corpId,
  agentId,
  secret: secret({
    name: 'WECOM_SECRET',
    about: 'Secret of the app.',
    example: 'as shown on the page of the app',
    read: matching(/^[\x21-\x7e]{1,128}$/, 'one word without spaces; copy it from the page of the app'),
  }),
  accountLimit: {
    name: 'PUSH_ACCOUNT_LIMIT',
    about:
      'Account limit of the enterprise (帐号上限): the app may send 200 times as many messages a day, one for each receiver.',
    example: '500',
    read: integer(1, 10_000_000),
  },
} as const satisfies Settings;

/** Settings of message delivery. */
export const pushSettings = {
  accountsFile,
  trustedProxies,
  apiUrl: {
    name: 'WECOM_API_URL',
    about: 'Where the WeCom server API is reached; plain http on loopback only.',
    example: 'https://qyapi.weixin.qq.com',
    fallback: 'https://qyapi.weixin.qq.com',
    read: httpsUrl('cgi-bin'),
  },
  httpsProxy: secret({
    name: 'HTTPS_PROXY',
    about:
      'Proxy for WeCom and for result callbacks over https, which must allow CONNECT; unset: that of HTTP_PROXY, or none.',
    example: 'http://proxy.internal:3128',
    fallback: '',
    isInLowerCaseToo: true,
    read: proxyUrl,
  }),
  httpProxy: secret({
    name: 'HTTP_PROXY',
    about: 'Proxy for result callbacks over plain http; unset: none.',
    example: 'http://proxy.internal:3128',
    fallback: '',
    isInLowerCaseToo: true,
    read: proxyUrl,
  }),
  noProxy: {
    name: 'NO_PROXY',
    about: 'Hosts, domains and networks that are called without a proxy; loopback always is.',
    example: 'hooks.internal,.corp.example,10.0.0.0/8',
    fallback: '',
    isInLowerCaseToo: true,
    read: noProxy,
  },
  ...listening({
    prefix: 'PUSH',
    listener: 'the API of message delivery',
    role: 'message delivery',
    port: 8083,
  }),
  allowedSources: {
    name: 'PUSH_ALLOWED_SOURCES',
    about: 'Addresses and CIDRs of the systems that send messages; nobody else may call the API.',
    example: '10.0.0.0/8',
    read: cidrs,
  },
  mysqlUrl: secret({
    name: 'PUSH_MYSQL_URL',
    about: 'Database of messages and templates; with ?ssl-mode=VERIFY_IDENTITY behind it TLS is made.',
    example: 'mysql://keypad:password@mysql.internal:3306/keypad_push',
    read: mysqlDatabaseUrl,
  }),
  masterKey: secret({
    name: 'PUSH_MASTER_KEY',
    about: 'The keys of all apps are derived from it; who changes it makes all of them void.',
    example: 'at least 32 characters, made by: openssl rand -base64 33',
    read: matching(/^.{32,}$/, 'at least 32 characters on one line; make one with: openssl rand -base64 33'),
  }),
  robots: secret({
    name: 'PUSH_ROBOTS',
    about:
      'Group robots that apps may send through, as JSON: name and the key in the webhook address; {} when there are none.',
    example: '{"ops-room":"693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"}',
    read: robots,
  }),
  keepDays: {
    name: 'PUSH_KEEP_DAYS',
    about:
      'How many days a message or campaign is kept after its end, with its idempotency key and all that was sent.',
    example: '90',
    fallback: '90',
    read: integer(1, 3650),
  },
  concurrency: {
    name: 'PUSH_CONCURRENCY',
    about: 'How many messages of one lane a process sends at the same time.',
    example: '50',
    fallback: '50',
    read: integer(1, 1000),
  },
} as const satisfies Settings;
