import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { startBot } from '#test/bot.ts';

/** Two names of services under one address, each with a path before its own; a gateway takes these off. */
async function startGateway() {
  const targets: Record<string, string> = {};
  const strangers: (string | undefined)[] = [];
  const server = createServer((incoming, response) => {
    const [, name = '', path = ''] = /^\/gw\/(\w+)(\/.*)$/.exec(incoming.url ?? '') ?? [];
    const target = targets[name];
    if (target === undefined) {
      strangers.push(incoming.url);
      return response.writeHead(404).end();
    }
    const { method, headers } = incoming;
    const passedOn = request(`${target}${path}`, { method, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 502);
      answer.pipe(response);
    });
    return incoming.pipe(passedOn);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/gw`;
  return { url, targets, strangers, close: () => server.close().closeAllConnections() };
}

test('the path of a gateway stands before every path of the platform and of message delivery', async () => {
  const { url, targets, strangers, close } = await startGateway();
  const bot = await startBot({ OPS_URL: `${url}/ops/`, PUSH_URL: `${url}/push` });
  Object.assign(targets, { ops: bot.platform.url, push: bot.push.url });
  // What the bot asked before anybody stood behind the gateway.
  strangers.splice(0);
  // The rights come from the platform; the departments of whoever writes from message delivery, by a signed request.
  expect((await bot.wecom.say('zhangsan', 'hi')).reply).toContain('1 电商');
  expect(bot.platform.calls.map(({ operation }) => operation)).toContain('units.list');
  expect(bot.push.targets).toEqual(['/v1/directory/users/zhangsan']);
  expect(strangers).toEqual([]);
  await bot.stop();
  close();
});
