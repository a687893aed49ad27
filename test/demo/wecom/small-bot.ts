import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decrypt, encrypt, getSignature } from '@wecom/crypto';
import type { WeComApp } from '../../../demo/wecom/app.ts';

/** The app that the tests of the simulator play against. */
export const app: WeComApp = {
  corpId: 'ww0123456789abcdef',
  agentId: 1000002,
  secret: 'secret-of-the-app',
  token: 'DemoToken2026',
  encodingAesKey: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8',
};

/** One request that the bot received, opened. */
export interface Received {
  readonly plaintext: string;
  readonly cipher: string;
  readonly body: string;
}

/** What the bot answers: a body, a status, or nothing at all (`hang`). */
export type Answer = string | { readonly status: number } | 'hang';

/** An answer in the shape WeCom accepts; each part can be spoilt. */
export function reply(content: string, spoil: Partial<Record<keyof typeof parts, string>> = {}): string {
  const fields = { ...parts, Content: content, ...spoil };
  const xml = ['ToUserName', 'FromUserName', 'CreateTime', 'MsgType', 'Content']
    .map((name) => `<${name}><![CDATA[${fields[name as keyof typeof fields]}]]></${name}>`)
    .join('');
  const sealed = encrypt(app.encodingAesKey, `<xml>${xml}</xml>`, fields.receiveId);
  const signature = fields.MsgSignature || getSignature(app.token, '1767225600', 'n0nce', sealed);
  return `<xml><Encrypt><![CDATA[${sealed}]]></Encrypt><MsgSignature><![CDATA[${signature}]]></MsgSignature><${fields.timeStampName}>1767225600</${fields.timeStampName}><Nonce><![CDATA[n0nce]]></Nonce></xml>`;
}

const parts = {
  ToUserName: 'zhangsan',
  FromUserName: app.corpId,
  CreateTime: '1767225600',
  MsgType: 'text',
  Content: '',
  receiveId: app.corpId,
  MsgSignature: '',
  timeStampName: 'TimeStamp',
};

/** A bot of a few lines: it checks what WeCom sends and answers what `answer` says; a GET gets its echo. */
export async function startBot(answer: (received: Received, count: number) => Answer | Promise<Answer>) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const query = new URL(request.url ?? '', 'http://bot').searchParams;
    let body = '';
    for await (const chunk of request) body += chunk;
    const cipher = query.get('echostr') ?? /<Encrypt><!\[CDATA\[(.*)\]\]><\/Encrypt>/.exec(body)?.[1] ?? '';
    const [timestamp, nonce] = [query.get('timestamp') ?? '', query.get('nonce') ?? ''];
    const { message: plaintext, id } = decrypt(app.encodingAesKey, cipher);
    if (
      getSignature(app.token, timestamp, nonce, cipher) !== query.get('msg_signature') ||
      id !== app.corpId
    ) {
      return response.writeHead(403).end();
    }
    if (request.method === 'GET') return response.end(plaintext);
    received.push({ plaintext, cipher, body });
    const answered = await answer({ plaintext, cipher, body }, received.length);
    if (answered === 'hang') return undefined;
    if (typeof answered === 'string') return response.end(answered);
    return response.writeHead(answered.status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/wecom/callback`,
    received,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The text of one element of a callback's plaintext, without its CDATA. */
export function fieldOf(plaintext: string, name: string): string | undefined {
  const text = new RegExp(`<${name}>(.*)</${name}>`, 's').exec(plaintext)?.[1];
  return text?.replace(/^<!\[CDATA\[(.*)\]\]>$/s, '$1');
}
