import { randomInt } from 'node:crypto';
import { createCipher } from '../../src/wecom/crypto/cipher.ts';

/** The app that WeCom's callbacks are for. */
export interface BenchApp {
  readonly corpId: string;
  readonly agentId: number;
  readonly token: string;
  readonly encodingAesKey: string;
}

/** Makes what prepares callbacks: a text of a user, as the bytes of one HTTP request, each with an id of its own. */
export function prepareCallbacks(app: BenchApp): (user: string, line: string) => Buffer {
  const cipher = createCipher({ ...app, receiveId: app.corpId });
  let ids = BigInt(randomInt(2 ** 40)) << 20n;
  return (user, line) => {
    ids += 1n;
    const seconds = Math.floor(Date.now() / 1000);
    const message =
      `<xml><ToUserName><![CDATA[${app.corpId}]]></ToUserName><FromUserName><![CDATA[${user}]]></FromUserName>` +
      `<CreateTime>${seconds}</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[${line}]]></Content>` +
      `<MsgId>${ids}</MsgId><AgentID>${app.agentId}</AgentID></xml>`;
    const encrypted = cipher.encrypt(message);
    const signature = cipher.sign(`${seconds}`, 'bench', encrypted);
    const body = `<xml><ToUserName><![CDATA[${app.corpId}]]></ToUserName><AgentID><![CDATA[${app.agentId}]]></AgentID><Encrypt><![CDATA[${encrypted}]]></Encrypt></xml>`;
    const head =
      `POST /wecom/callback?msg_signature=${signature}&timestamp=${seconds}&nonce=bench HTTP/1.1\r\nHost: bench\r\n` +
      `Content-Type: text/xml\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
    return Buffer.from(head + body);
  };
}

/** The latency below which a share of them lies, in ms. */
export function percentile(latencies: readonly number[], share: number): number {
  const sorted = latencies.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
