import { signingKey } from './keys.ts';
import { callbackSources, host, internalUrl, port } from './network.ts';
import { type Setting, secret } from './setting.ts';
import { matching, path } from './text.ts';

/** Settings of the interface platform. */
export const botSettings = {
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
  PUSH_URL: {
    audience: 'bot',
    about:
      'Where the bot reaches message delivery. Plain http to another machine needs ?plain-http behind the address.',
    example: 'https://push.internal:8083',
    read: internalUrl,
  },
  PUSH_APP_ID: {
    audience: 'bot',
    about: 'The app that the bot is at message delivery.',
    example: 'keypad-bot',
    read: matching(/^[a-z0-9][a-z0-9_-]{0,31}$/, 'the id of an app such as keypad-bot'),
  },
  PUSH_APP_KEY: secret({
    audience: 'bot',
    about: 'Key of that app.',
    example:
      'as printed by: npm run app-key -- create keypad-bot --scope text --scope to:users --scope directory --per-minute 6000',
    read: matching(/^[\w-]{43}$/, '43 letters, digits, - and _, as printed when the key was made'),
  }),
  MENUS_DIR: {
    audience: 'bot',
    about: 'Folder of the menu entries.',
    example: './menus',
    fallback: './menus',
    read: path,
  },
} as const satisfies Readonly<Record<string, Setting>>;
