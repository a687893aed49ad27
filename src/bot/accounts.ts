import type { Channel, Incoming } from '../channels/channel.ts';
import type { CallbackAccount } from '../channels/wecom-callback/callback.ts';
import { createWeComChannel } from '../channels/wecom-callback/channel.ts';
import { openCallbackSources } from '../channels/wecom-callback/sources.ts';
import type { Menus, Operations } from '../chat/index.ts';
import { type BotAccount, loadAccounts } from '../config/accounts.ts';
import { botAccountSettings } from '../config/bot-settings.ts';
import type { BotConfig } from '../config.ts';
import { readPrincipal } from '../contract/principal.ts';
import { ConfigError } from '../errors.ts';
import type { Log } from '../server/log.ts';
import { createLoop } from '../server/loop.ts';
import type { ReloadResult } from '../server/metrics.ts';
import type { Redis } from '../server/redis.ts';
import { createCipher } from '../wecom/crypto/cipher.ts';
import { createMenuFolders } from './menu-folders.ts';
import type { BotMetrics } from './metrics.ts';
import type { Notifier } from './notifier.ts';

interface AccountsParts {
  readonly config: Pick<BotConfig, 'account' | 'accountsFile' | 'menusDir'>;
  readonly redis: Redis;
  readonly log: Log;
  readonly metrics: Pick<BotMetrics, 'badAccounts' | 'reload'>;
  /** A folder of menus, an account, or the file of accounts has these problems, and what was there goes on. */
  onProblems(source: string, problems: readonly string[]): void;
  /** What the platform has now. */
  operations(): Operations;
  notifierOf(account: string): Notifier;
  /** Unix milliseconds. */
  now(): number;
}

/** How often it is looked whether the callback ranges are due to be asked for. */
const LOOK_MS = 10_000;

/** Opens the accounts that this process serves. Throws a `ConfigError` when the file cannot be used, or not one account is good. */
export async function openAccounts(parts: AccountsParts) {
  const { config, log, metrics, onProblems } = parts;
  const onReload = (result: ReloadResult) => metrics.reload('menus', result);
  const { operations, now } = parts;
  const folders = createMenuFolders({ log, onReload, operations, onProblems, now });
  const menus = new WeakMap<Channel, Menus>();

  const openOne = async (definition: BotAccount) => {
    const ofAccount = await folders.open(definition.menusDir);
    const notifier = parts.notifierOf(definition.name);
    const { name: account, corpId, agentId } = definition;
    const channel = createWeComChannel({ account, agentId, ...notifier });
    menus.set(channel, ofAccount);
    const sources = await openCallbackSources({
      allowed: definition.callbackSources,
      redis: parts.redis,
      corpId,
      askWeCom: notifier.callbackRanges,
      onError: (err) => log.error({ err, account }, 'the callback ranges of WeCom are not fresh'),
      now: parts.now,
    });
    const cipher = createCipher({
      token: definition.token.reveal(),
      encodingAesKey: definition.encodingAesKey.reveal(),
      receiveId: corpId,
    });
    const { allows: isAllowedSource, keepFresh } = sources;
    return { definition, channel, cipher, corpId, agentId, isAllowedSource, keepFresh };
  };

  type Opened = Awaited<ReturnType<typeof openOne>>;
  let open: ReadonlyMap<string, Opened> = new Map();

  /** What is as it was stays open; the rest is opened before what it replaces is let go. */
  const read = async (): Promise<void> => {
    const previous = new Map([...open].map(([name, { definition }]) => [name, definition]));
    const { accounts, problems } = loadAccounts(botAccountSettings, config, previous);
    const bad = new Map<string, readonly string[]>([...problems].map(([name, problem]) => [name, [problem]]));
    const next = new Map<string, Opened>();
    for (const [name, definition] of accounts) {
      const old = open.get(name);
      const opened =
        old?.definition === definition
          ? old
          : await openOne(definition).catch((error: unknown) => {
              bad.set(name, error instanceof ConfigError ? error.problems : [`account "${name}": ${error}`]);
              return old;
            });
      if (opened !== undefined) next.set(name, opened);
    }
    if (next.size === 0) throw new ConfigError([...bad.values()].flat());
    open = next;
    folders.keep([...next.values()].map(({ definition }) => definition.menusDir));
    for (const [account, each] of bad) {
      log.error({ account, problems: each }, 'an account is bad; it goes on as it was, if it was there');
      onProblems(account, each);
    }
    metrics.badAccounts([...bad.keys()]);
    if (config.accountsFile !== undefined) log.info({ accounts: [...next.keys()] }, 'accounts are open');
  };
  await read();

  const looking = createLoop({
    restMs: LOOK_MS,
    work: () => Promise.all([...open.values()].map(({ keepFresh }) => keepFresh())),
    onError: (err) => log.error({ err }, 'the callback ranges of WeCom are not fresh'),
  });
  looking.start();
  let reading: Promise<void> = Promise.resolve();
  /** The channel of a principal. Throws while nothing here serves the account, which may come back. */
  const channelOf = (principal: string): Channel => {
    const { channel: name, account } = readPrincipal(principal);
    const channel = open.get(account)?.channel;
    if (channel?.name !== name) throw new Error(`Nothing here serves the account of ${principal}.`);
    return channel;
  };
  return {
    /** One as it is in force now. */
    find: (name: string): CallbackAccount | undefined => open.get(name),
    isAllowedAnywhere: (address: string): boolean =>
      [...open.values()].some((each) => each.isAllowedSource(address)),
    /** The menus of the account that a message came from, also when that account has been replaced since. */
    menusOf: ({ channel }: Pick<Incoming, 'channel'>) => menus.get(channel) as Menus,
    channelOf,
    /** Sends a text to a principal. Rejects while nothing here serves the account, which may come back. */
    async tell(principal: string, text: string, id: string): Promise<void> {
      await channelOf(principal).tell(readPrincipal(principal).user, text, id);
    },
    /** The platform has other operations now. */
    rebuildMenus: folders.rebuild,
    /** Reads the file of accounts and the menus again. What is bad is named, and what was there goes on. */
    reload(): Promise<void> {
      reading = reading
        .catch(() => {})
        .then(async () => {
          await read().catch((error: unknown) => {
            const problems = error instanceof ConfigError ? error.problems : [`${error}`];
            log.error({ problems }, 'accounts are not read again, all go on as they were');
            metrics.badAccounts(['*']);
            onProblems('*', problems);
          });
          await folders.reload();
        });
      return reading;
    },
    async close(): Promise<void> {
      await looking.stop();
      folders.keep([]);
    },
  };
}
