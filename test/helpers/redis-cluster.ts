import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, vi } from 'vitest';
import { type PrivateProcess, startProcess } from '../../demo/servers/private-process.ts';
import { choosePort, choosePorts } from './ports.ts';

/** A Redis that is one of several. */
export interface RedisMember extends PrivateProcess {
  readonly port: number;
  /** Its own client, for what no bot does. */
  readonly admin: Redis;
}

/** Several of them, which end together. */
export interface RedisGroup {
  readonly members: readonly RedisMember[];
  stop(): Promise<void>;
}

async function startMember(
  port: number,
  args: (directory: string) => readonly string[],
): Promise<RedisMember> {
  const directory = mkdtempSync(join(tmpdir(), 'keypad-redis-'));
  const common = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', directory, '--save', ''];
  const given = args(directory);
  const words = given[0]?.endsWith('.conf') ? given : [...common, ...given];
  const admin = new Redis({ port, host: '127.0.0.1', lazyConnect: true, enableReadyCheck: false });
  admin.on('error', () => {});
  const isUp = () =>
    admin.ping().then(
      () => true,
      () => false,
    );
  const server = await startProcess('redis-server', words, isUp);
  return {
    ...server,
    port,
    admin,
    stop: async () => {
      admin.disconnect();
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function groupOf(members: readonly RedisMember[]): RedisGroup {
  return { members, stop: async () => void (await Promise.all(members.map(({ stop }) => stop()))) };
}

const SLOTS = 16_384;

const until = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 20_000, interval: 20 });

/** Starts a cluster of masters, each with an equal part of the slots, and with `replicas` of the first one. */
export async function startRedisCluster(masters: number, replicas = 0): Promise<RedisGroup> {
  const members = await Promise.all(
    Array.from({ length: masters + replicas }, async () => {
      const { bot: port, ops: bus } = await choosePorts();
      const args = ['--cluster-enabled', 'yes', '--cluster-port', `${bus}`, '--cluster-node-timeout', '1000'];
      const member = await startMember(port, () => [...args, '--repl-diskless-sync-delay', '0']);
      return { ...member, bus };
    }),
  );
  const [first] = members;
  if (first === undefined) throw new Error('a cluster has a member');
  const part = Math.ceil(SLOTS / masters);
  await Promise.all(
    members.slice(0, masters).map(({ admin }, i) => {
      const end = Math.min(SLOTS, (i + 1) * part) - 1;
      return admin.call('CLUSTER', 'ADDSLOTSRANGE', i * part, end);
    }),
  );
  for (const { port, bus } of members.slice(1)) {
    await first.admin.call('CLUSTER', 'MEET', '127.0.0.1', port, bus);
  }
  const infoOf = async ({ admin }: RedisMember) => `${await admin.call('CLUSTER', 'INFO')}`;
  for (const member of members) {
    await until(async () => expect(await infoOf(member)).toContain(`cluster_known_nodes:${members.length}`));
  }
  const id = await first.admin.call('CLUSTER', 'MYID');
  for (const { admin } of members.slice(masters)) await admin.call('CLUSTER', 'REPLICATE', `${id}`);
  for (const member of members)
    await until(async () => expect(await infoOf(member)).toContain('cluster_state:ok'));
  for (const { admin } of members.slice(masters)) {
    await until(async () => expect((await admin.role())[3]).toBe('connected'));
  }
  return groupOf(members);
}

/** Starts a master, a replica of it, and a Sentinel that watches both; in this order. */
export async function startRedisUnderSentinel(name: string): Promise<RedisGroup> {
  const sync = ['--repl-diskless-sync-delay', '0'];
  const master = await startMember(await choosePort(), () => sync);
  const replica = await startMember(await choosePort(), () => [
    ...sync,
    '--replicaof',
    '127.0.0.1',
    `${master.port}`,
  ]);
  await until(async () => expect((await replica.admin.role())[3]).toBe('connected'));
  const port = await choosePort();
  const sentinel = await startMember(port, (directory) => {
    const file = join(directory, 'sentinel.conf');
    const lines = [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${directory}`,
      `sentinel monitor ${name} 127.0.0.1 ${master.port} 1`,
      `sentinel down-after-milliseconds ${name} 500`,
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    return [file, '--sentinel'];
  });
  // Otherwise it looks every 10 s.
  await sentinel.admin.call('SENTINEL', 'DEBUG', 'info-period', '100', 'ping-period', '100');
  await until(async () => expect(await sentinel.admin.call('SENTINEL', 'REPLICAS', name)).toHaveLength(1));
  return groupOf([master, replica, sentinel]);
}
