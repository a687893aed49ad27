import { type RunningWeCom, startWeCom } from '../../../demo/wecom/start.ts';
import type { WeComOptions } from '../../../demo/wecom/wecom.ts';
import { createHttpClient } from '../../../src/server/http-client.ts';
import { type AppOptions, openApp } from '../../../src/wecom/api/app.ts';
import type { ApiCall } from '../../../src/wecom/api/call.ts';
import { createMessenger } from '../../../src/wecom/api/messenger.ts';
import type { Outgoing } from '../../../src/wecom/api/outgoing.ts';
import { WeComError } from '../../../src/wecom/api/wecom-error.ts';
import { app } from '../../demo/wecom/small-bot.ts';
import { createMemoryTokenStore } from './scripted-wecom.ts';

/** The key of the robot `alerts`; it must appear nowhere. */
export const ROBOT_KEY = '693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa';

export const hello: Outgoing = { msgtype: 'text', body: { content: '好了' } };

/** The smallest thing that begins as a PNG does. */
export const PNG = Buffer.from('89504e470d0a1a0a00000000', 'hex');

/** A simulator with one robot. */
export function startSimulator(options: Partial<WeComOptions> = {}): Promise<RunningWeCom> {
  return startWeCom({ ...app, port: 0, robots: { alerts: ROBOT_KEY }, ...options });
}

const http = createHttpClient();

/** A messenger of the app, and what it reported. */
export function messengerTo(baseUrl: string, options: Partial<AppOptions> = {}) {
  const calls: ApiCall[] = [];
  const { corpId, secret, agentId } = app;
  const settings: AppOptions = {
    send: http.send,
    baseUrl,
    corpId,
    secret,
    agentId,
    tokens: createMemoryTokenStore(),
    onCall: (call) => void calls.push(call),
    sleep: async () => {},
    ...options,
  };
  return { messenger: createMessenger(openApp(settings)), calls, settings };
}

/** The WeComError of work that must fail. */
export async function errorOf(work: Promise<unknown>): Promise<WeComError> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof WeComError)) throw new Error(`expected a WeComError, got ${error}`);
  return error;
}
