import fastify from 'fastify';
import { addPhone } from '../phone/phone.ts';
import { createWeCom, type WeCom, type WeComOptions } from './wecom.ts';

/** A WeCom on a port of loopback, with the phone page on the same one. */
export interface RunningWeCom extends WeCom {
  /** Both the phone page and the base of the server API, without a slash at the end. */
  readonly url: string;
  /** Cuts every connection and delivery, and answers when the port is free. */
  stop(): Promise<void>;
}

/** Starts Tencent's side and the phone page; port 0 takes any free one. Rejects with EADDRINUSE when the port is taken. */
export async function startWeCom(options: WeComOptions & { readonly port?: number }): Promise<RunningWeCom> {
  const wecom = createWeCom(options);
  // A hanging fault or an open event stream never ends by itself.
  const http = fastify({ forceCloseConnections: true });
  await wecom.addRoutes(http);
  await http.register((scope) => addPhone(scope, wecom));
  const url = await http.listen({ host: '127.0.0.1', port: options.port ?? 8090 });
  return {
    ...wecom,
    url,
    stop: async () => {
      wecom.close();
      await http.close();
    },
  };
}
