import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { APP, cipher, envelope, previewOf, signedPath, startBot, web } from '#test/bot.ts';

const { bot, platform, wecom, lines, stop } = await startBot();
afterAll(stop);

const receipts = (id: string) =>
  platform.calls.filter(
    ({ operation, body }) =>
      operation === 'operation.received' && (body as { ids: readonly string[] }).ids.includes(id),
  );

const answered = () => lines.filter((line) => line.includes('"result":"reply"')).length;

test.each<[string, string, (socket: Socket) => void]>([
  ['resets', 'zhangsan', (socket) => void socket.resetAndDestroy()],
  ['ends', 'lisi', (socket) => void socket.end()],
])(
  'no receipt is given for a reply whose connection WeCom %s before it, and a repeat brings reply and receipt',
  async (_how, user, close) => {
    const id = randomUUID();
    const { port } = bot.app.server.address() as AddressInfo;
    const accepted = once(bot.app.server, 'connection') as Promise<[Socket]>;
    const socket = connect({ port, host: '127.0.0.1' }).on('error', () => {});
    const [serverSide] = await accepted;
    const gone = new Promise<void>((resolve) => serverSide.once('close', () => resolve()));
    platform.script = ({ operation }) => {
      if (operation === 'k8s.deployments.list') return { state: 'done', output: [web] };
      if (operation === 'k8s.scale/preview') return previewOf(id);
      if (operation !== 'k8s.scale') return undefined;
      close(socket);
      return gone.then(() => ({ state: 'done', text: 'web：2 → 3，3 个就绪' }));
    };
    for (const line of ['hi', '1-1-2-1-3']) await wecom.say(user, line);
    const before = answered();

    const encrypted = cipher.encrypt(
      `<xml><ToUserName><![CDATA[${APP.corpId}]]></ToUserName><FromUserName><![CDATA[${user}]]></FromUserName><CreateTime>${Math.floor(Date.now() / 1000)}</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[1]]></Content><MsgId>${socket.localPort}</MsgId><AgentID>${APP.agentId}</AgentID></xml>`,
    );
    const body = envelope(encrypted);
    const url = signedPath(encrypted);
    socket.write(
      `POST ${url} HTTP/1.1\r\nHost: bot\r\nContent-Type: text/xml\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    await expect.poll(answered).toBe(before + 1);
    // Further round trips: a receipt would have reached the platform by now.
    for (const line of ['hi', '1', '#']) await wecom.say('wangwu', line);
    expect(receipts(id)).toEqual([]);

    const repeated = await bot.app.inject({ method: 'POST', url, payload: body });
    const sealed = /<Encrypt><!\[CDATA\[(.+?)\]\]>/.exec(repeated.body)?.[1] ?? '';
    expect(cipher.decrypt(sealed)).toContain('web：2 → 3，3 个就绪');
    await expect.poll(() => receipts(id)).toHaveLength(1);
    expect(
      platform.calls.filter((call) => call.operation === 'k8s.scale' && call.user === user),
    ).toHaveLength(1);
  },
);
