import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PrivateDatabase, startPrivateDatabase, urlOn } from '#test/private-database.ts';
import { type PushRole, startPushRole } from '#test/push-role.ts';
import { startTcpProxy, type TcpProxy } from '#test/tcp-proxy.ts';
import { PushError } from '../../../src/push/client.ts';

const CALLERS = 10;
const MESSAGES = 20;
const patiently = { timeout: 45_000, interval: 100 };

let old: PrivateDatabase;
let next: PrivateDatabase;
let proxy: TcpProxy;
let role: PushRole;
beforeAll(async () => {
  old = await startPrivateDatabase(['--log-bin', '--binlog-format=row', '--server-id=1']);
  next = await startPrivateDatabase(['--server-id=2', '--read-only=1']);
  await old.admin(`create user 'replica'@'127.0.0.1'`);
  await old.admin(`grant replication slave on *.* to 'replica'@'127.0.0.1'`);
  await next.admin(`set global gtid_slave_pos = '${await written()}'`);
  await next.admin(`change master to master_host = '127.0.0.1', master_port = ${old.port},
    master_user = 'replica', master_use_gtid = slave_pos`);
  await next.admin('start slave');
  proxy = await startTcpProxy(old.port);
  role = await startPushRole({ mysqlUrl: urlOn(proxy.port) });
  role.wecom.setFaults([{ api: 'message/send', delayMs: 10, times: 'always' }]);
});
afterAll(async () => {
  await role?.stop();
  await proxy?.stop();
  await next?.stop();
  await old?.stop();
});

/** How far the old server has written, as a replica counts it. */
async function written(): Promise<string> {
  const [row] = (await old.admin('select @@gtid_binlog_pos as position')) as [{ position: string }];
  return row.position;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Hands messages in, one caller for each receiver, and each until it is accepted; calls `half` when half of them are. */
async function handAll(name: string, half: () => Promise<unknown>): Promise<void> {
  let accepted = 0;
  let turned: Promise<unknown> | undefined;
  const hand = async (caller: number, number: number): Promise<void> => {
    const idempotencyKey = `${name} ${caller} ${number}`;
    for (let turn = number; ; turn += 1) {
      const { client } = turn % 2 === 0 ? role.first : role.second;
      try {
        await client.push({ to: { users: [`${name}${caller}`] }, text: `${number}`, idempotencyKey });
        accepted += 1;
        return;
      } catch (error) {
        if (!(error instanceof PushError) || (error.status !== 0 && error.status < 500)) throw error;
        await pause(50);
      }
    }
  };
  const call = async (caller: number): Promise<void> => {
    for (let number = 0; number < MESSAGES; number += 1) {
      await hand(caller, number);
      if (accepted >= (CALLERS * MESSAGES) / 2) turned ??= half();
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, (_, caller) => call(caller)));
  await turned;
}

/** Each receiver gets every message, in order; WeCom drops the repeats of calls whose ends were not seen. */
async function expectAll(name: string): Promise<void> {
  const wanted = Array.from({ length: MESSAGES }, (_, number) => `${number}`);
  for (let caller = 0; caller < CALLERS; caller += 1) {
    const texts = () => {
      const all = role.wecom.arrived(`${name}${caller}`).map(({ text }) => text);
      return all.filter((text, i) => text !== all[i - 1]);
    };
    await expect.poll(texts, patiently).toEqual(wanted);
  }
}

test('over a link that dies without FIN what was accepted goes on, also what was locked over it', async () => {
  await handAll('link', async () => proxy.swallow());
  await expectAll('link');
  expect(role.wecom.arrivals.totals().overLimit).toBe(0);
}, 90_000);

test('a promotion, with the sockets to the old server alive: nothing is lost, and nobody is restarted', async () => {
  await handAll('promoted', async () => {
    // As a failover by an operator goes: no more writes, wait for the rest, then the other takes over.
    await old.admin('set global read_only = 1');
    await next.admin(`select master_gtid_wait('${await written()}')`);
    await next.admin('stop slave');
    await next.admin('set global read_only = 0');
    proxy.leadTo(next.port);
  });
  await expectAll('promoted');
  const sent = async () => {
    const [row] = (await next.admin(`select count(*) as sent from keypad.deliveries
      where state = 'sent' and receiver like 'user:promoted%'`)) as [{ sent: number }];
    return row.sent;
  };
  // What WeCom took last may be recorded a moment later.
  await expect.poll(sent, patiently).toBe(CALLERS * MESSAGES);
}, 90_000);
