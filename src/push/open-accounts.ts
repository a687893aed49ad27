import { loadAccounts, type PushAccount } from '../config/accounts.ts';
import { pushAccountSettings } from '../config/push-settings.ts';
import type { PushConfig } from '../config.ts';
import type { SendHttp } from '../server/http-client.ts';
import type { Log } from '../server/log.ts';
import { createWeComApi, type WeComApi } from '../wecom/api/api.ts';
import { openApp } from '../wecom/api/app.ts';
import { adviseOn } from '../wecom/api/errcodes.ts';
import { createMessenger, type Messenger } from '../wecom/api/messenger.ts';
import { WeComError } from '../wecom/api/wecom-error.ts';
import type { SendingAccount } from './accounts/accounts.ts';
import { createBreaker } from './accounts/breaker.ts';
import { createPause } from './accounts/pause.ts';
import { iso } from './content/fields.ts';
import { DEFAULT_ACCOUNT } from './content/message.ts';
import type { Database } from './database/database.ts';
import type { AccountView } from './http/accounts.ts';
import type { PushMetrics } from './metrics.ts';
import { createTokenStore } from './token-store.ts';

interface AccountsParts {
  readonly config: PushConfig;
  readonly send: SendHttp;
  readonly db: Database;
  readonly metrics: PushMetrics;
  readonly log: Log;
}

interface OpenAccount extends SendingAccount {
  readonly account: PushAccount;
  readonly weCom: WeComApi;
}

/**
 * Opens the accounts of a process, each with clients, breaker and pause of its own. Throws a ConfigError when there is
 * none; one that is bad is logged, and costs only itself.
 */
export function openAccounts({ config, send, db, metrics, log }: AccountsParts) {
  const now = Date.now;
  let loaded = loadAccounts(pushAccountSettings, config);
  const opened = new Map<string, OpenAccount>();

  const open = (name: string, account: PushAccount): OpenAccount => {
    const owner = { ...account, secret: account.secret.reveal() };
    // Both clients of WeCom stand on one access token, which all replicas share.
    const app = openApp({
      ...owner,
      send,
      baseUrl: config.apiUrl,
      tokens: createTokenStore(db, owner),
      onCall(call) {
        metrics.weComCall(call);
        if (call.warning !== undefined) log.warn(call, 'WeCom understood a call only in part');
      },
    });
    const breaker = createBreaker({
      now,
      onChange(state) {
        metrics.breaker(name, state);
        log.warn({ account: name, state }, 'circuit breaker');
      },
    });
    const pause = createPause({
      now,
      random: Math.random,
      onChange(paused) {
        metrics.accountPaused(name, paused !== null);
        if (paused === null) log.warn({ account: name }, 'WeCom takes calls of this account again');
        else log.error({ account: name, ...paused }, 'WeCom refuses this account; its messages wait');
      },
    });
    metrics.breaker(name, breaker.state());
    metrics.accountPaused(name, false);
    return {
      account,
      messenger: createMessenger(app),
      weCom: createWeComApi(app),
      breaker,
      pause,
      accountLimit: () => loaded.accounts.get(name)?.accountLimit ?? 0,
    };
  };
  const openAll = (): void => {
    for (const problem of loaded.problems.values()) log.error({ problem }, 'an account cannot be used');
    metrics.badAccounts([...loaded.problems.keys()]);
    for (const [name, account] of loaded.accounts) {
      if (opened.get(name)?.account === account) continue;
      opened.set(name, open(name, account));
      log.info({ account: name, agentId: account.agentId }, 'account opened');
    }
    for (const name of opened.keys()) {
      if (loaded.accounts.has(name)) continue;
      opened.delete(name);
      metrics.accountPaused(name, false);
      metrics.breaker(name, 'closed');
      log.warn({ account: name }, 'account removed; what is queued for it waits');
    }
    // Group robots stand under the default account; without that app they use the client of another, which sends by their key.
    const [first] = loaded.accounts.values();
    robots = opened.get(DEFAULT_ACCOUNT) ?? (first && open(DEFAULT_ACCOUNT, first));
  };
  let robots: OpenAccount | undefined;
  openAll();

  /** Undefined for one that was taken out of the configuration. */
  const find = (name: string): OpenAccount | undefined =>
    opened.get(name) ?? (name === DEFAULT_ACCOUNT ? robots : undefined);
  const viewOf = (account: string, queued: number, blockedUntil: number | undefined): AccountView => {
    const open = opened.get(account);
    if (open === undefined) return { account, state: 'removed', queued };
    const paused = open.pause.state();
    if (paused !== null) {
      const times = { since: iso(paused.since), nextProbeAt: iso(paused.nextProbeAt) };
      return { account, state: 'paused', queued, ...paused, ...times };
    }
    if (blockedUntil === undefined) return { account, state: 'active', queued };
    const { advice } = adviseOn(45009, '');
    return { account, state: 'blocked', queued, advice, until: iso(blockedUntil) };
  };
  return {
    find,
    has: (name: string): boolean => opened.has(name),
    weComOf: (name: string): WeComApi | undefined => opened.get(name)?.weCom,
    /** Throws a WeComError, as if WeCom were not reached, for an account that is not configured any more. */
    messengerOf(name: string): Messenger {
      const found = find(name);
      if (found !== undefined) return found.messenger;
      throw new WeComError('media/upload', 'unsent', `the account ${name} is not configured any more`);
    },
    /** Why an account is paused, in a sentence; null when it is not. */
    pausedNote(name: string): string | null {
      const paused = opened.get(name)?.pause.state() ?? null;
      if (paused === null) return null;
      return `WeCom refuses the account ${name} (${paused.errcode}). ${paused.advice} Until then`;
    },
    /**
     * The configured ones, and those that are not any more and have messages waiting. By account: `queued` says how many, and
     * `blocked` until when WeCom blocks it (Unix ms).
     */
    list(queued: ReadonlyMap<string, number>, blocked: ReadonlyMap<string, number>): readonly AccountView[] {
      const names = new Set([...opened.keys(), ...queued.keys()]);
      return [...names].map((name) => viewOf(name, queued.get(name) ?? 0, blocked.get(name)));
    },
    /** Reads `ACCOUNTS_FILE` again. Throws a ConfigError when it cannot be used as a whole; then nothing changes. */
    reload(): void {
      try {
        loaded = loadAccounts(pushAccountSettings, config, loaded.accounts);
      } catch (error) {
        metrics.badAccounts(['*']);
        throw error;
      }
      openAll();
    },
  };
}
