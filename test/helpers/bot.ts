import { Writable } from 'node:stream';
import { type RunningWeCom, startWeCom } from '../../demo/wecom/start.ts';
import { type Bot, createBot } from '../../src/bot/app.ts';
import { readConfig } from '../../src/config.ts';
import type { Answer } from '../../src/contract/answer.ts';
import { createLog, type Log } from '../../src/server/log.ts';
import { createRegistry } from '../../src/server/metrics.ts';
import { createCipher } from '../../src/wecom/crypto/cipher.ts';
import { type ScriptedPlatform, startPlatform } from './platform.ts';
import { type ScriptedPush, startPush } from './push.ts';
import { startRedis } from './redis.ts';

/** The app whose credentials the self-made vectors S1–S5 of the protocol page use. */
export const APP = {
  corpId: 'ww0123456789abcdef',
  agentId: 1_000_002,
  secret: 'test-app-secret',
  token: 'DemoToken2026',
  encodingAesKey: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8',
};

export const cipher = createCipher({ ...APP, receiveId: APP.corpId });

/** A bot in this process with real Redis and WeCom's simulator; the platform and message delivery behind it are scripted. */
export interface TestBot {
  readonly bot: Bot;
  readonly url: string;
  readonly wecom: RunningWeCom;
  readonly platform: ScriptedPlatform;
  readonly push: ScriptedPush;
  readonly redisUrl: string;
  readonly lines: readonly string[];
  /** The metrics as they are scraped. */
  metrics(): Promise<string>;
  stop(): Promise<void>;
}

/** Starts one on a free port; `env` overrides settings, and another log leaves `lines` empty. */
export async function startBot(env: Readonly<Record<string, string>> = {}, log?: Log): Promise<TestBot> {
  const redis = await startRedis();
  const platform = await startPlatform();
  const push = await startPush();
  const wecom = await startWeCom({ ...APP, port: 0, pace: { attemptMs: 5000, attempts: 1, retryGapMs: 1 } });
  const config = readConfig('bot', {
    WECOM_CORP_ID: APP.corpId,
    WECOM_AGENT_ID: `${APP.agentId}`,
    WECOM_TOKEN: APP.token,
    WECOM_ENCODING_AES_KEY: APP.encodingAesKey,
    CALLBACK_ALLOWED_SOURCES: '127.0.0.1',
    REDIS_URL: redis.url,
    OPS_URL: platform.url,
    OPS_SIGNING_KEY: platform.signingKey,
    PUSH_URL: push.url,
    PUSH_APP_ID: push.app,
    PUSH_APP_KEY: push.key,
    MENUS_DIR: 'menus',
    ...env,
  });
  const lines: string[] = [];
  const destination = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  if (config.bot === undefined) throw new Error('the role is bot');
  const registry = createRegistry();
  const bot = await createBot({
    config: config.bot,
    log: log ?? createLog({ level: 'debug', destination }),
    registry,
  });
  const url = await bot.app.listen({ port: 0, host: '127.0.0.1' });
  wecom.setCallbackUrls([`${url}/wecom/callback`]);
  return {
    bot,
    url,
    wecom,
    platform,
    push,
    redisUrl: redis.url,
    lines,
    metrics: () => registry.metrics(),
    stop: async () => {
      await bot.close();
      await wecom.stop();
      await platform.stop();
      await push.stop();
      await redis.stop();
    },
  };
}

/** The deployment that entry 1-1-2 lists first, as the platform answers it. */
export const web = {
  key: 'shop/web',
  label: 'web',
  namespace: 'shop',
  name: 'web',
  replicas: 2,
  ready: 2,
  image: 'web:1',
};

/** What the platform shows before {@link web} gets three replicas, under this id of an operation. */
export function previewOf(id: string): Answer {
  const expiresAt = Date.now() + 120_000;
  return { state: 'preview', preview: { id, hash: 'h', risk: 'low', lines: ['2 → 3'], expiresAt } };
}

/** The path and query of a callback that is signed for this text. */
export function signedPath(encrypted: string, extra = ''): string {
  const signature = cipher.sign('1767225600', 'n0nce', encrypted);
  return `/wecom/callback?msg_signature=${signature}&timestamp=1767225600&nonce=n0nce${extra}`;
}

/** The outer XML of a callback. */
export function envelope(encrypted: string): string {
  return `<xml><ToUserName><![CDATA[${APP.corpId}]]></ToUserName><AgentID><![CDATA[${APP.agentId}]]></AgentID><Encrypt><![CDATA[${encrypted}]]></Encrypt></xml>`;
}
