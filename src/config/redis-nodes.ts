import { InputError } from '../errors.ts';
import { hostOf, loginOf, readUrl } from '../server/address.ts';
import type { RedisNode, RedisNodes } from '../server/redis.ts';
import { readRedisAddress } from '../server/redis-address.ts';
import { readEach } from './text.ts';

const FORM = /^(?<kind>cluster|sentinel):\/\/(?:(?<login>[^@/]*)@)?(?<list>[^@/?#]+)$/i;
const EXPECTED =
  'must be cluster://<host>:<port>,<host>:<port> or sentinel://<host>:<port>,…, the latter with user:password@ before the hosts if Sentinels want one, and nothing behind them; for TLS REDIS_URL begins with rediss://';

/** Nodes of a Redis Cluster, or Sentinels with their login; undefined for an empty text. */
export function redisNodes(text: string): RedisNodes | undefined {
  if (text === '') return undefined;
  const { kind = '', login, list = '' } = FORM.exec(text)?.groups ?? {};
  if (kind === '') throw new InputError(EXPECTED);
  const nodes = readEach(list.split(','), readNode);
  if (kind.toLowerCase() === 'cluster') {
    if (login !== undefined) throw new InputError('must have no login: that of a cluster is in REDIS_URL');
    return { kind: 'cluster', nodes };
  }
  const { username, password } =
    login === undefined ? {} : loginOf(readUrl(`redis://${login}@host`, ['redis:']));
  if (username !== undefined && password === undefined) throw new InputError(EXPECTED);
  return { kind: 'sentinel', nodes, username: username ?? '', password: password ?? '' };
}

function readNode(text: string): RedisNode {
  const url = readUrl(`redis://${text}`, ['redis:']);
  if (url.port === '') throw new InputError(EXPECTED);
  return { host: hostOf(url), port: Number(url.port) };
}

/** What REDIS_URL says that counts for nothing beside REDIS_NODES, in a sentence for each. */
export function redisProblems(url: string, nodes: RedisNodes | undefined): readonly string[] {
  const { port, db } = readRedisAddress(url);
  if (nodes?.kind === 'cluster' && db !== 0) {
    return ['REDIS_URL ends in the number of a database, and a cluster has none; take it off'];
  }
  if (nodes?.kind === 'sentinel' && port !== undefined) {
    return [
      'REDIS_URL has a port, and beside Sentinels its host is the name of the master; take the port off',
    ];
  }
  return [];
}
