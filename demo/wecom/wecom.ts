import type { FastifyInstance } from 'fastify';
import { createAccessTokens } from './access-tokens.ts';
import type { ApiName } from './api-call.ts';
import {
  type Chat,
  type Clock,
  demoChats,
  demoMembers,
  demoTags,
  type Member,
  type WeComApp,
} from './app.ts';
import { type Arrival, type Arrivals, createArrivals } from './arrivals.ts';
import { createCardUpdates } from './card-updates.ts';
import { createCourier, type Pace } from './courier.ts';
import { createDailyQuota } from './daily-quota.ts';
import { createDelivery, type Deliver, type Delivery, type Outcome } from './delivery.ts';
import { createFaults, type FaultInput, type Faults } from './faults.ts';
import type { Fields } from './fields.ts';
import type { Limit } from './frequency.ts';
import { chatLimits, createGroupSend } from './group-send.ts';
import { createHistory, type History, type Message } from './history.ts';
import { createMailbox } from './mailbox.ts';
import { checkAgent, createMessageSend, memberLimits } from './message-send.ts';
import { createReceivers } from './receivers.ts';
import { memberSender } from './senders.ts';
import { createSentMessages } from './sent-messages.ts';
import { type ApiSettings, createServerApi } from './server-api.ts';
import { addServerRoutes } from './server-routes.ts';
import { createUploads, type Uploads } from './uploads.ts';

/** Tencent's side: the app, who can see it, and how it behaves. What is left out is as WeCom does it, with the demo's four members. */
export interface WeComOptions extends WeComApp, Partial<ApiSettings> {
  /** Where callbacks go; with several, to each in turn. */
  readonly callbackUrls?: readonly string[];
  /** `anyone`: every well-formed userid can be sent to; the phone shows the demo's four. */
  readonly members?: readonly Member[] | 'anyone';
  /** Members by tag. */
  readonly tags?: Readonly<Record<string, readonly string[]>>;
  /** Members without a licence: `unlicenseduser`. */
  readonly unlicensed?: readonly string[];
  /** The app's group chats; the demo's one when left out. */
  readonly chats?: readonly Chat[];
  /** The key of each robot, by its name; none when left out. */
  readonly robots?: Readonly<Record<string, string>>;
  /** How many accounts the enterprise has, from which the receivers of a day follow; as many as are needed when left out. */
  readonly accounts?: number;
  /** Beyond these a member's messages are dropped silently: 30 a minute and 1000 an hour when left out. */
  readonly memberLimits?: readonly Limit[];
  /** The same for messages of the app's chats: 200 a minute and 10,000 a day when left out. */
  readonly chatLimits?: readonly Limit[];
  /** How many messages `arrived` looks back; 20,000 when left out. */
  readonly recordLimit?: number;
  readonly clock?: Clock;
  readonly pace?: Pace;
}

/** A WeCom for one app; `startWeCom` puts it on a port. */
export interface WeCom {
  readonly members: readonly Member[];
  /** What else has messages to show, as `chat:CHATID` and `robot:NAME`. */
  readonly groups: readonly { readonly id: string; readonly name: string }[];
  readonly history: History;
  readonly faults: Faults;
  readonly arrivals: Arrivals;
  readonly uploads: Uploads;
  /** What was sent to a receiver (a userid, `chat:CHATID` or `robot:NAME`), oldest first, dropped messages included. */
  arrived(receiver: string): readonly Arrival[];
  /** The most messages for one receiver in any so many seconds, dropped ones included. */
  maxInWindow(receiver: string, seconds: number): number;
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
  const { clock = Date.now, pace = {}, callbackUrls = [] } = options;
  const { callbackAddresses = ['127.0.0.1'], callsPerMinute = 10_000 } = options;
  const { chats = demoChats, robots = {}, tags = demoTags, unlicensed = [] } = options;
  const app: WeComApp = options;
  const isOpen = options.members === 'anyone';
  const members = options.members === 'anyone' ? demoMembers : (options.members ?? demoMembers);
  const groups = groupsOf(chats, robots);
  const closing = new AbortController();
  const { signal } = closing;

  const history = createHistory(clock);
  const courier = createCourier({ app, clock, signal });
  courier.setUrls(callbackUrls);
  const deliver = createDelivery({ app, members, courier, history, pace, clock, signal });

  const faults = createFaults();
  const tokens = createAccessTokens(app, clock);
  const uploads = createUploads(clock);
  const sent = createSentMessages(clock);
  const arrivals = createArrivals(clock, options.recordLimit);
  const phones = new Set([...members.map(({ userid }) => userid), ...groups.map(({ id }) => id)]);
  const putMail = createMailbox({ arrivals, history, hasPhone: (receiver) => phones.has(receiver) });
  const findReceivers = createReceivers({ members, isOpen, tags, unlicensed });
  const quota = createDailyQuota(options.accounts, clock);
  const cards = createCardUpdates({ history, sender: memberSender(uploads), findReceivers, clock });
  const limits = options.memberLimits ?? memberLimits;
  const sendMessage = createMessageSend({
    app,
    findReceivers,
    quota,
    cards,
    limits,
    uploads,
    sent,
    putMail,
    clock,
  });
  const groupSend = createGroupSend({
    chats,
    limits: options.chatLimits ?? chatLimits,
    robots,
    uploads,
    putMail,
    clock,
  });
  const recall = (msgid: unknown): void => history.recall(sent.readRecallable(msgid));
  const updateCard = (body: Fields): object => {
    checkAgent(app, body);
    return cards.update(body);
  };
  const settings = { ...options, callbackAddresses, callsPerMinute };
  const parts = {
    members,
    tokens,
    sendMessage,
    groups: groupSend,
    recall,
    updateCard,
    uploads,
    settings,
    clock,
  };
  const answer = createServerApi(parts);
  const answered: { readonly name: string; readonly errcode: number }[] = [];
  const record = (name: string, errcode: number): void => {
    answered.push({ name, errcode });
    if (answered.length > 1000) answered.shift();
  };

  return {
    members,
    groups,
    history,
    faults,
    arrivals,
    uploads,
    arrived: arrivals.list,
    maxInWindow: arrivals.maxInWindow,
    messages: history.list,
    setFaults: faults.set,
    deliver,
    say: (user, text, delivery) => deliver(user, { type: 'text', content: text }, delivery),
    verifyUrl: courier.verify,
    setCallbackUrls: courier.setUrls,
    revokeToken: tokens.revoke,
    answers: (name) => answered.filter((entry) => entry.name === name).map(({ errcode }) => errcode),
    addRoutes: async (http) => {
      await http.register((scope) =>
        addServerRoutes(scope, { answer, faults, robotOf: groupSend.robotOf, record, signal }),
      );
    },
    close: () => closing.abort(),
  };
}

function groupsOf(chats: readonly Chat[], robots: Readonly<Record<string, string>>): WeCom['groups'] {
  return [
    ...chats.map(({ chatid, name }) => ({ id: `chat:${chatid}`, name })),
    ...Object.keys(robots).map((name) => ({ id: `robot:${name}`, name })),
  ];
}
