import { InputError } from '../errors.ts';
import type { RedisNode, RedisNodes } from '../server/redis.ts';

const FORM = /^(?<kind>cluster|sentinel):\/\/(?:(?<user>[^:@/]*):(?<password>[^@/]*)@)?(?<list>[^@/?#]+)$/;
const EXPECTED =
  'must be cluster://<host>:<port>,<host>:<port> or sentinel://<host>:<port>,…, the latter with user:password@ before the hosts if Sentinels want one';

/** Nodes of a Redis Cluster, or Sentinels with their login; undefined for an empty text. */
export function redisNodes(text: string): RedisNodes | undefined {
  if (text === '') return undefined;
  const { kind, user = '', password, list = '' } = FORM.exec(text)?.groups ?? {};
  if (kind === undefined) throw new InputError(EXPECTED);
  const nodes = list.split(',').map(readNode);
  if (kind === 'cluster') {
    if (password !== undefined) throw new InputError('must have no login: that of a cluster is in REDIS_URL');
    return { kind, nodes };
  }
  return { kind: 'sentinel', nodes, username: decoded(user), password: decoded(password ?? '') };
}

function readNode(text: string): RedisNode {
  const url = URL.canParse(`redis://${text}`) ? new URL(`redis://${text}`) : undefined;
  if (url === undefined || url.hostname === '' || url.port === '') throw new InputError(EXPECTED);
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(url.port) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new InputError('has a % in its login that begins no code of two hex digits; write %25 for it');
  }
}
