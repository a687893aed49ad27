import type { PushAccount } from '../config/accounts.ts';
import type { PushConfig } from '../config.ts';
import type { SendHttp } from '../server/http-client.ts';
import type { Log } from '../server/log.ts';
import { createWeComApi, type WeComApi } from '../wecom/api/api.ts';
import { type AppOptions, createAppTokens } from '../wecom/api/app-tokens.ts';
import { createMessenger } from '../wecom/api/messenger.ts';
import type { Messenger } from '../wecom/api/outgoing.ts';
import type { Database } from './database/database.ts';
import type { PushMetrics } from './metrics.ts';
import { createTokenStore } from './token-store.ts';

/** What the clients of WeCom are opened with. */
export interface OpenWeComParts {
  readonly config: PushConfig;
  readonly send: SendHttp;
  readonly account: PushAccount;
  readonly db: Database;
  readonly metrics: Pick<PushMetrics, 'weComCall'>;
  readonly log: Log;
}

/** Opens both clients of WeCom on one access token, which all replicas share. */
export function openWeCom({ config, send, account, db, metrics, log }: OpenWeComParts): {
  readonly messenger: Messenger;
  readonly weCom: WeComApi;
} {
  const { corpId, agentId } = account;
  const secret = account.secret.reveal();
  const app: Omit<AppOptions, 'tokens'> = {
    send,
    baseUrl: config.apiUrl,
    corpId,
    agentId,
    secret,
    onCall(call) {
      metrics.weComCall(call);
      if (call.warning !== undefined) log.warn(call, 'WeCom understood a call only in part');
    },
  };
  const tokens = createAppTokens({ ...app, tokens: createTokenStore(db, app) });
  return { messenger: createMessenger({ ...app, tokens }), weCom: createWeComApi({ ...app, tokens }) };
}
