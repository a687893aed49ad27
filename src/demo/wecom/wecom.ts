import type { FastifyInstance } from 'fastify';
import { createAccessTokens } from './access-tokens.ts';
import type { ApiName } from './api-name.ts';
import { type Clock, demoMembers, type Member, type WeComApp } from './app.ts';
import { createCourier, type Pace } from './courier.ts';
import { createDelivery, type Deliver, type Delivery, type Outcome } from './delivery.ts';
import { createFaults, type FaultInput, type Faults } from './faults.ts';
import { createHistory, type History, type Message } from './history.ts';
import { createMessageSend } from './message-send.ts';
import { type ApiSettings, createServerApi } from './server-api.ts';
import { addServerRoutes } from './server-routes.ts';
import { verifyUrl } from './verify-url.ts';

/** Tencent's side: the app, who can see it, and how it behaves. What is left out is as WeCom does it, with the demo's four members. */
export interface WeComOptions extends WeComApp, Partial<ApiSettings> {
  /** Where callbacks go; with several, to each in turn. */
  readonly callbackUrls?: readonly string[];
  readonly members?: readonly Member[];
  readonly clock?: Clock;
  readonly pace?: Pace;
}

/** A WeCom for one app; `startWeCom` puts it on a port. */
export interface WeCom {
  readonly members: readonly Member[];
  readonly history: History;
  readonly faults: Faults;
  /** What that member's phone shows, oldest first. */
  messages(user: string): readonly Message[];
  /** Sets what goes wrong on Tencent's side, in place of what was set before. */
  setFaults(faults: readonly FaultInput[]): void;
  /** Sends a text as that member and waits for what becomes of it; throws an InputError for an unknown member. */
  say(user: string, text: string, delivery?: Delivery): Promise<Outcome>;
  /** The same for any message or event. */
  readonly deliver: Deliver;
  /** Checks the next callback URL as the console does when the form is saved; answers the problem, if there is one. */
  verifyUrl(): Promise<string | undefined>;
  setCallbackUrls(urls: readonly string[]): void;
  /** Makes the present access token invalid before its time, as the server may (protocol §4.1). */
  revokeToken(): void;
  /** The errcodes that calls of that API were answered with, oldest first (of the last 1000 calls; -1 for a bare HTTP status). */
  answers(name: ApiName): readonly number[];
  /** Adds the server API to a Fastify app. */
  addRoutes(http: FastifyInstance): Promise<void>;
  /** Ends deliveries and delayed answers that are under way. */
  close(): void;
}

/** Makes Tencent's side of the wire, without a port yet. */
export function createWeCom(options: WeComOptions): WeCom {
  const { members = demoMembers, clock = Date.now, pace = {}, callbackUrls = [] } = options;
  const { callbackAddresses = ['127.0.0.1'], callsPerMinute = 10_000 } = options;
  const app: WeComApp = options;
  const closing = new AbortController();
  const { signal } = closing;

  const history = createHistory(clock);
  const courier = createCourier({ app, clock, signal });
  courier.setUrls(callbackUrls);
  const deliver = createDelivery({ app, members, courier, history, pace, clock, signal });

  const faults = createFaults();
  const tokens = createAccessTokens(app, clock);
  const sendMessage = createMessageSend({ app, members, history, clock });
  const settings = { ...options, callbackAddresses, callsPerMinute };
  const answer = createServerApi({ app, members, tokens, sendMessage, settings, clock });
  const answered: { readonly name: ApiName; readonly errcode: number }[] = [];
  const record = (name: ApiName, errcode: number): void => {
    answered.push({ name, errcode });
    if (answered.length > 1000) answered.shift();
  };

  return {
    members,
    history,
    faults,
    messages: history.list,
    setFaults: faults.set,
    deliver,
    say: (user, text, delivery) => deliver(user, { type: 'text', content: text }, delivery),
    verifyUrl: () => verifyUrl(app, courier, clock),
    setCallbackUrls: courier.setUrls,
    revokeToken: tokens.revoke,
    answers: (name) => answered.filter((entry) => entry.name === name).map(({ errcode }) => errcode),
    addRoutes: async (http) => {
      await http.register((scope) => addServerRoutes(scope, { answer, faults, record, signal }));
    },
    close: () => closing.abort(),
  };
}
