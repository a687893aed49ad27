import { readSigningKey } from '../contract/keys.ts';
import { readJson } from './json.ts';
import { callbackSources, internalUrl } from './network.ts';
import { redisNodes } from './redis-nodes.ts';
import { type Setting, type Settings, secret } from './setting.ts';
import { listening, pushClient, shared } from './shared-settings.ts';
import { about, matching, path } from './text.ts';

const { corpId, agentId, accountsFile, redisUrl, trustedProxies } = shared;
const menusDir = {
  name: 'MENUS_DIR',
  about: 'Folder of the menu entries.',
  example: './menus',
  fallback: './menus',
  read: path,
} as const satisfies Setting;

/** What the interface platform knows of an app: enough to read its callbacks and seal its replies, and not to send. */
export const botAccountSettings = {
  corpId,
  agentId,
  token: secret({
    name: 'WECOM_TOKEN',
    about: 'Token of the app: page 接收消息 → API接收.',
    example: 'at most 32 letters and digits',
    read: matching(/^[A-Za-z0-9]{1,32}$/, '1 to 32 letters and digits; copy it from the page of the app'),
  }),
  encodingAesKey: secret({
    name: 'WECOM_ENCODING_AES_KEY',
    about: 'EncodingAESKey of the app, on the same page as the token.',
    example: '43 letters and digits',
    read: matching(/^[A-Za-z0-9]{43}$/, '43 letters and digits; copy it from the page of the app'),
  }),
  callbackSources: {
    name: 'CALLBACK_ALLOWED_SOURCES',
    about:
      'Who may call /wecom/callback: addresses and CIDRs; the word wecom stands for the ranges that WeCom publishes.',
    example: 'wecom,10.0.0.0/8',
    read: callbackSources,
  },
  menusDir,
} as const satisfies Settings;

/** Settings of the interface platform. */
export const botSettings = {
  accountsFile,
  redisUrl,
  redisNodes: secret({
    name: 'REDIS_NODES',
    about:
      'For a Redis Cluster cluster:// and some of its nodes, for Redis under Sentinels sentinel:// and all of these, whose name of the master is then the host of REDIS_URL; unset: the one server of REDIS_URL.',
    example: 'sentinel://:password@sentinel-0:26379,sentinel-1:26379,sentinel-2:26379',
    fallback: '',
    read: redisNodes,
  }),
  installation: {
    name: 'INSTALLATION',
    about:
      'Name of this installation, which all names in Redis begin with; every installation on one Redis needs another one. Who changes it ends all sessions.',
    example: 'staging',
    fallback: '',
    read: matching(/^([a-z0-9][a-z0-9-]{0,31})?$/, 'up to 32 lower-case letters, digits and -'),
  },
  trustedProxies,
  ...listening({ prefix: 'BOT', listener: 'the callback', role: 'the bot', port: 8080 }),
  opsUrl: {
    name: 'OPS_URL',
    about:
      'Where the bot reaches the ops platform. Plain http to another machine needs ?plain-http behind the address.',
    example: 'https://ops.internal:8081',
    read: internalUrl('v1'),
  },
  signingKey: secret({
    name: 'OPS_SIGNING_KEY',
    about: 'Private key that signs requests to the ops platform.',
    example: 'private Ed25519 JWK, made by: npm run keys',
    read: (text) => about('cannot be used:', () => readSigningKey(readJson(text))),
  }),
  ...pushClient({
    prefix: 'PUSH',
    role: 'the bot',
    app: 'keypad-bot',
    options: '--scope text --scope to:users --scope directory --per-minute 6000',
  }),
  menusDir,
} as const satisfies Settings;
