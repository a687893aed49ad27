import { type Selectable, sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { withDatabaseTime } from '#test/database-time.ts';
import { openPushDatabase } from '#test/push-database.ts';
import type { SendingAccount, SendingAccounts } from '../../../src/push/accounts/accounts.ts';
import { type Breaker, createBreaker } from '../../../src/push/accounts/breaker.ts';
import { createPause, type Pause } from '../../../src/push/accounts/pause.ts';
import { fill } from '../../../src/push/content/fill.ts';
import type { Lane, NewMessage, Receiver } from '../../../src/push/content/message.ts';
import { type Database, openDatabase } from '../../../src/push/database/database.ts';
import type { DeliveryTables } from '../../../src/push/database/delivery-tables.ts';
import { newId } from '../../../src/push/database/new-id.ts';
import type { Media } from '../../../src/push/media/media.ts';
import type { Windows } from '../../../src/push/queue/limits.ts';
import { createDelivery, type Delivery } from '../../../src/push/sending/delivery.ts';
import type { Webhooks } from '../../../src/push/webhooks/webhooks.ts';
import type { Messenger } from '../../../src/wecom/api/messenger.ts';
import { type ScriptedWeCom, scriptedWeCom } from './scripted-wecom.ts';

const noMedia: Omit<Media, 'of' | 'prune'> = {
  mediaId: async () => 'media-1',
  mediaIdForRobot: async () => 'media-2',
  forget: async () => {},
  bytes: async () => Buffer.from('picture'),
};

/** One replica, with its own connections. */
export interface DeliveryReplica extends Delivery {
  readonly errors: unknown[];
  /** The messages that were recorded as finished, so that the webhooks of their apps are called. */
  readonly finishedIds: string[];
}

export interface ReplicaParts {
  readonly mysqlUrl: string;
  readonly messenger: Messenger;
  /** So high that it does not matter when left out. */
  readonly accountLimit?: number;
  /** The limits of a receiver; none when left out. */
  readonly windowsOf?: (receiver: Receiver) => Windows | null;
  readonly onLimit?: (wait: { readonly lane: Lane; readonly limit: string; readonly ms: number }) => void;
  readonly breaker?: Breaker;
  readonly pause?: Pause;
  /** In place of the default account, which is made of the messenger, the limit, the breaker and the pause. */
  readonly accounts?: SendingAccounts;
  readonly media?: Partial<Media>;
  readonly webhooks?: Webhooks;
  readonly isDisabled?: (app: string) => Promise<boolean>;
  readonly concurrency?: number;
  /** The clock of the process and of the database; each its own when left out. */
  readonly now?: () => number;
  /** The clock of the database where it differs from that of the process. */
  readonly databaseNow?: () => number;
  readonly random?: () => number;
}

/** An account of a messenger that nothing holds up unless said otherwise. */
export function sendingAccount(
  parts: Pick<ReplicaParts, 'messenger' | 'accountLimit' | 'breaker' | 'pause' | 'now'>,
): SendingAccount {
  const { messenger, accountLimit = 1_000_000, now = Date.now } = parts;
  const breaker = parts.breaker ?? createBreaker({ now, onChange: () => {} });
  const pause = parts.pause ?? createPause({ now, random: () => 0.5, onChange: () => {} });
  return { messenger, accountLimit: () => accountLimit, breaker, pause };
}

/** Opens a replica of message delivery; `close` closes its connections as well. */
export function openReplica(parts: ReplicaParts): DeliveryReplica {
  const { mysqlUrl, concurrency = 50, now = Date.now } = parts;
  const opened = openDatabase(mysqlUrl);
  const databaseNow = parts.databaseNow ?? parts.now;
  const db = databaseNow === undefined ? opened : withDatabaseTime(opened, databaseNow);
  const standard = sendingAccount({ ...parts, now });
  const errors: unknown[] = [];
  const finishedIds: string[] = [];
  const delivery: Delivery = createDelivery({
    db,
    accounts: parts.accounts ?? {
      find: (name) => (name === 'default' ? standard : undefined),
    },
    robots: { ops: 'robot-key' },
    media: { ...noMedia, ...parts.media } as Media,
    webhooks: parts.webhooks ?? {
      note: async (_tx, ids) => void finishedIds.push(...ids),
      wake: () => {},
    },
    isDisabled: parts.isDisabled ?? (async () => false),
    fill,
    concurrency,
    now,
    newId: () => newId(now()),
    random: parts.random ?? (() => 0),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    windowsOf: parts.windowsOf ?? (() => null),
    onLimit: parts.onLimit ?? (() => {}),
    onAttempt: () => {},
    onWait: () => {},
    onError: (error) => errors.push(error),
  });
  let closing: Promise<void> | undefined;
  return {
    ...delivery,
    errors,
    finishedIds,
    close() {
      closing ??= delivery.close().then(() => db.destroy());
      return closing;
    },
  };
}

/** A real MariaDB for the tests of one file, and replicas that are closed after each test. */
export interface DeliveryHarness {
  readonly weCom: ScriptedWeCom;
  readonly db: Database;
  readonly mysqlUrl: string;
  /** Opens a replica that does not send yet. */
  open(parts?: Partial<ReplicaParts>): DeliveryReplica;
  /** Opens one that sends. */
  start(parts?: Partial<ReplicaParts>): DeliveryReplica;
  /** The deliveries of a message as they stand. */
  deliveries(messageId: string): Promise<readonly Selectable<DeliveryTables['deliveries']>[]>;
  attempts(messageId: string): Promise<readonly Selectable<DeliveryTables['attempts']>[]>;
  /** Accepts and waits until the message is finished. */
  send(replica: DeliveryReplica, message: NewMessage): Promise<string>;
}

/** To be called at the top of a test file. */
export function useDeliveryHarness(): DeliveryHarness {
  let database: Awaited<ReturnType<typeof openPushDatabase>>;
  let weCom = scriptedWeCom();
  const replicas: DeliveryReplica[] = [];
  beforeAll(async () => {
    database = await openPushDatabase();
  });
  beforeEach(() => {
    weCom = scriptedWeCom();
  });
  afterEach(async () => {
    await Promise.all(replicas.splice(0).map((replica) => replica.close()));
    for (const table of [
      'messages',
      'deliveries',
      'delivery_lines',
      'attempts',
      'sent_days',
      'blocks',
    ] as const) {
      await database.db.deleteFrom(table).execute();
    }
  });
  afterAll(async () => {
    await database.drop();
  });
  const harness: DeliveryHarness = {
    get weCom() {
      return weCom;
    },
    get db() {
      return database.db;
    },
    get mysqlUrl() {
      return database.url;
    },
    open(parts = {}) {
      const { messenger } = weCom;
      const replica = openReplica({ mysqlUrl: database.url, messenger, ...parts });
      replicas.push(replica);
      return replica;
    },
    start(parts) {
      const replica = harness.open(parts);
      replica.start();
      return replica;
    },
    deliveries: (messageId) =>
      database.db
        .selectFrom('deliveries')
        .selectAll()
        .where('message_id', '=', messageId)
        .orderBy('id')
        .execute(),
    attempts: (messageId) =>
      database.db
        .selectFrom('attempts')
        .innerJoin('deliveries', 'deliveries.id', 'attempts.delivery_id')
        .selectAll('attempts')
        .where('message_id', '=', messageId)
        .orderBy('attempts.id')
        .execute(),
    async send(replica, message) {
      const { id } = await replica.accept(message);
      if (!(await replica.finished(id, 15_000))) throw new Error('the message was not finished in time');
      return id;
    },
  };
  return harness;
}

/** Waits for what is expected to become true; a busy machine takes its time. */
export function eventually<T>(look: () => T) {
  return expect.poll(look, { timeout: 10_000 });
}

/** Waits for how many transactions in a database wait for a lock. */
export function waitingForLocks(db: Database) {
  const look = async (): Promise<number> => {
    const { rows } = await sql`select t.trx_id from information_schema.innodb_trx t
      join information_schema.processlist p on p.id = t.trx_mysql_thread_id
      where p.db = database() and t.trx_state = 'LOCK WAIT'`.execute(db);
    return rows.length;
  };
  // MariaDB goes on answering the same while it is asked more often than each 100 ms.
  return expect.poll(look, { interval: 200, timeout: 10_000 });
}

/** A text in the normal lane to users. */
export function textTo(
  users: string | readonly string[],
  text: string,
  more: Partial<NewMessage> = {},
): NewMessage {
  const receivers = [users].flat().map((user) => ({ receiver: `user:${user}` as const }));
  return { app: 'ci', lane: 'normal', content: { text }, receivers, requestHash: 'a'.repeat(64), ...more };
}
