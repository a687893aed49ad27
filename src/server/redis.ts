import { Cluster, type Command, Redis, type RedisOptions } from 'ioredis';
import { type RedisAddress, readRedisAddress } from './redis-address.ts';

export type { Redis } from 'ioredis';

/** Where one of several servers listens. */
export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

interface Sentinels {
  readonly kind: 'sentinel';
  readonly nodes: readonly RedisNode[];
  /** Their own login; empty for none. */
  readonly username: string;
  readonly password: string;
}

/** Some nodes of a cluster, which tell of the others; or Sentinels, which tell where the master is. */
export type RedisNodes = { readonly kind: 'cluster'; readonly nodes: readonly RedisNode[] } | Sentinels;

/** Which Redis beside its address, and under which names. */
interface RedisParts {
  /** With Sentinels the host in the address is the name of the master. */
  readonly nodes?: RedisNodes | undefined;
  /** What the names of all keys begin with; nothing when left out. */
  readonly prefix?: string;
  /** Milliseconds from any start. */
  readonly now?: () => number;
}

/** How often a connection is given up because of what its server says, so that one that stays like that is not flooded with new ones. */
const REPLACE_EVERY_MS = 1000;
/** How long a command may take until it is known where to send it, and is answered. */
const COMMAND_MS = 2000;

/**
 * What a server says that does not do its work for now, while another one behind the same address may, or this one later: demoted
 * (READONLY, MASTERDOWN), without room on disk or in memory, loading, without enough replicas, or busy. Before Redis 7 the word stands
 * inside the error of a script.
 */
const REFUSAL = /(^|-)(READONLY|MASTERDOWN|OOM|MISCONF|LOADING|NOREPLICAS|CLUSTERDOWN|BUSY)\b/;

/**
 * Connects to Redis; the one place that does. When Redis does not answer for a second commands fail: a person hears a
 * sentence instead of nothing. No command is sent a second time. Throws an InputError for a url
 * that is no address of Redis.
 *
 * After a failover the address may lead to another server, while the connection to the old one still looks alive: after an answer that
 * never came, or a {@link REFUSAL}, the connection is dropped, and a new one made.
 */
export function createRedis(
  url: string,
  { nodes, prefix = '', now = () => performance.now() }: RedisParts = {},
): Redis {
  const options = { ...connecting(now), keyPrefix: prefix };
  const address = readRedisAddress(url);
  if (nodes === undefined) return new Redis({ ...options, ...address, enableAutoPipelining: true });
  if (nodes.kind === 'cluster') return openCluster(address, nodes.nodes, options);
  return openUnderSentinels(address, nodes, options);
}

/** What holds for every connection. */
function connecting(now: () => number) {
  let replacedAt = Number.NEGATIVE_INFINITY;
  return {
    // Our replies are flat; RESP3 costs more to read and brings nothing here.
    protocol: 2,
    maxRetriesPerRequest: 0,
    // One timer for all commands in flight, not one for each command.
    socketTimeout: 1000,
    connectTimeout: 1000,
    // An idle connection whose other end is gone is noticed by the kernel after this and ten unanswered probes, a second apart.
    keepAlive: 5000,
    // A server that loads its data says so to every command, and nobody waits for it to end. Nor is there anything else to ask first.
    enableReadyCheck: false,
    disableClientInfo: true,
    // Before the next attempt to connect, in ms.
    retryStrategy: (times) => Math.min(50 * times, 1000),
    reconnectOnError({ message }) {
      if (!REFUSAL.test(message) || now() - replacedAt < REPLACE_EVERY_MS) return false;
      replacedAt = now();
      return true;
    },
  } satisfies RedisOptions;
}

type Connecting = ReturnType<typeof connecting> & { readonly keyPrefix: string };

/** The host of the address is the name under which they know the master. */
function openUnderSentinels(
  { host: name, ...address }: RedisAddress,
  { nodes, username, password }: Sentinels,
  options: Connecting,
): Redis {
  const redis = new Redis({
    ...options,
    ...address,
    enableAutoPipelining: true,
    sentinels: [...nodes],
    name,
    sentinelUsername: username,
    sentinelPassword: password,
    ...(address.tls !== undefined && { enableTLSForSentinelMode: true, sentinelTLS: {} }),
    sentinelCommandTimeout: 1000,
    // They tell of a promotion at once; a demoted server that lives takes writes for 8 s more, which are lost.
    failoverDetector: true,
    // While no Sentinel is reached a command would wait without end.
    commandTimeout: COMMAND_MS,
  });
  // Whoever listens for promotions would tell the console of a Sentinel that is away.
  const connector = (redis as unknown as { readonly connector: { connectToSentinel: ConnectToSentinel } })
    .connector;
  const connect = connector.connectToSentinel.bind(connector);
  connector.connectToSentinel = (...args) =>
    connect(...args).on('error', (error) => redis.emit('error', error));
  return redis;
}

type ConnectToSentinel = (...args: readonly unknown[]) => Redis;

/** A cluster has the commands of a single Redis, as long as the keys of each live on one node; and one database, without a number. */
function openCluster(
  { host, port = 6379, db: _, ...login }: RedisAddress,
  nodes: readonly RedisNode[],
  { keyPrefix, ...redisOptions }: Connecting,
): Redis {
  const cluster = new Cluster([{ host, port }, ...nodes], {
    keyPrefix,
    redisOptions: { ...redisOptions, ...login },
    // Names stay names, which certificates are made for.
    dnsLookup: (address, done) => done(null, address),
    // After a connection that was lost a command may have been carried out.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    clusterRetryStrategy: (times) => Math.min(50 * times, 1000),
  });
  cluster.on('node error', (error) => cluster.emit('error', error));
  const send = cluster.sendCommand.bind(cluster);
  // While the cluster is looked for a command would wait without end.
  cluster.sendCommand = (command: Command, ...where) => {
    command.setTimeout(COMMAND_MS);
    return send(command, ...where);
  };
  return cluster as unknown as Redis;
}

/** So many that each master of a cluster whose slots are shared out evenly has some. */
const READY_KEYS = 16;

/** Rejects unless Redis takes writes, whichever node they go to. */
export async function checkWrites(redis: Redis): Promise<void> {
  const keys = Array.from({ length: READY_KEYS }, (_, number) => `keypad:ready:${number}`);
  await Promise.all(keys.map((key) => redis.set(key, '', 'EX', 60)));
}
