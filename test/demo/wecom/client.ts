import { type RunningWeCom, startWeCom } from '../../../demo/wecom/start.ts';
import type { WeComOptions } from '../../../demo/wecom/wecom.ts';
import { app } from './small-bot.ts';

type Answer = Readonly<Record<string, unknown>> & { readonly errcode: number };

/** A WeCom whose clock stands still until `wait`, and a client that has a valid token. */
export async function startWithClient(options: Partial<WeComOptions> = {}) {
  let now = 1_767_225_600_000;
  const wecom: RunningWeCom = await startWeCom({ ...app, clock: () => now, port: 0, ...options });
  const ask = async (path: string, body?: string | FormData | Blob): Promise<Answer> => {
    const init = body === undefined ? {} : { method: 'POST', body };
    const response = await fetch(`${wecom.url}/cgi-bin/${path}`, init);
    return (await response.json()) as Answer;
  };
  const { access_token: token } = await ask(`gettoken?corpid=${app.corpId}&corpsecret=${app.secret}`);
  const send = (message: object) =>
    ask(`message/send?access_token=${token}`, JSON.stringify({ agentid: app.agentId, ...message }));
  return {
    wecom,
    ask,
    send,
    /** A text to those users. */
    text: (touser: string, content = '好了', more = {}) =>
      send({ touser, msgtype: 'text', text: { content }, ...more }),
    /** A message of that type to zhangsan. */
    show: (msgtype: string, body: unknown) => send({ touser: 'zhangsan', msgtype, [msgtype]: body }),
    post: (api: string, body: unknown) => ask(`${api}?access_token=${token}`, JSON.stringify(body)),
    robot: (key: string, body: object) => ask(`webhook/send?key=${key}`, JSON.stringify(body)),
    upload: (type: string, name: string, bytes: Uint8Array<ArrayBuffer>) => {
      const form = new FormData();
      form.set('media', new Blob([bytes]), name);
      return ask(`media/upload?access_token=${token}&type=${type}`, form);
    },
    uploadFor: (key: string, type: string, bytes: Uint8Array<ArrayBuffer>) => {
      const form = new FormData();
      form.set('media', new Blob([bytes]), 'x');
      return ask(`webhook/upload_media?key=${key}&type=${type}`, form);
    },
    uploadRaw: (type: string, body: string | FormData | Blob) =>
      ask(`media/upload?access_token=${token}&type=${type}`, body),
    wait: (seconds: number) => {
      now += seconds * 1000;
    },
  };
}

/** The smallest thing that begins as a PNG does. */
export const PNG = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
