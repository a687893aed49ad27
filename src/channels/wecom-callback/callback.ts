import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { DEFAULT_ACCOUNT } from '../../contract/principal.ts';
import { InputError } from '../../errors.ts';
import type { Cipher } from '../../wecom/crypto/cipher.ts';
import { readEncrypted } from '../../wecom/crypto/envelope.ts';
import { sealTextReply } from '../../wecom/crypto/reply.ts';
import { type Message, readMessage } from '../../wecom/events/message.ts';
import { normalizeUserId } from '../../wecom/userid.ts';
import type { Channel, Incoming, Reply } from '../channel.ts';
import { readSignedQuery } from './query.ts';

/** What is refused, with which status and in which words. */
const REFUSALS = {
  source: [403, 'source not allowed'],
  missing: [404, 'not found'],
  signature: [403, 'signature mismatch'],
  malformed: [400, 'malformed request'],
  'too-large': [413, 'body over 64 KiB'],
  broken: [503, 'try again later'],
} as const;
type Refusal = keyof typeof REFUSALS;

/** What is wrong and what to do about it, for the log; who called is told no more than above. */
const PROBLEMS = {
  account: 'no account here has the name behind /wecom/callback/; write it as in ACCOUNTS_FILE',
  source:
    'this address may not call this account; if it should, add it to CALLBACK_ALLOWED_SOURCES, or to allowedSources in ACCOUNTS_FILE',
  signature:
    'the signature is not made with the token of this account; compare it with the one in the callback form of the app',
  'too-large': 'the body is over 64 KiB, as none of WeCom is; look who calls',
} as const;
const AS_IT_CAME = 'let path, query and body reach the bot as WeCom sends them';

/** How a callback was answered; the metrics count by it. */
export type CallbackResult = 'reply' | 'empty' | 'verified' | Refusal;
export const callbackResults: readonly CallbackResult[] = [
  'reply',
  'empty',
  'verified',
  ...(Object.keys(REFUSALS) as Refusal[]),
];

/** One app, as its callbacks are read and answered. */
export interface CallbackAccount {
  readonly channel: Channel;
  readonly cipher: Cipher;
  readonly corpId: string;
  readonly agentId: number;
  isAllowedSource(address: string): boolean;
}

interface CallbackParts {
  /** The account of that name, as it is in force now. */
  account(name: string): CallbackAccount | undefined;
  /** Answers the reply to a genuine message, or null for none. */
  receive(incoming: Incoming): Promise<Reply | null>;
  /** The reply has reached the socket. */
  onSent(reply: Reply, incoming: Incoming): void;
  onResult(result: CallbackResult, request: FastifyRequest, reply: FastifyReply): void;
  /** Unix milliseconds. */
  now(): number;
  newNonce(): string;
}

/** Answers with one plain status and fixed words. */
export function refuseCallback(result: Refusal, reply: FastifyReply): FastifyReply {
  const [status, why] = REFUSALS[result];
  return reply.code(status).type('text/plain').send(`${why}\n`);
}

/** What a verification encrypts (protocol §1.2); no message and no reply of ours looks like it. */
const ECHO = /^[A-Za-z0-9]{1,64}$/;

/** The path of the default account; that of any other account has its name behind it. */
const PATH = '/wecom/callback';
const BODY_BYTES = 64 * 1024;

/**
 * The callbacks of all accounts (protocol §1–§3). What is wrong gets one plain status, and no more work than it takes
 * to see that it is wrong: the address of the account's sources before anything is read, the signature before anything is
 * decrypted. An account that does not exist answers as one whose sources the caller is not among.
 */
export function addCallback(app: FastifyInstance, parts: CallbackParts): void {
  const refuse = (request: FastifyRequest, reply: FastifyReply, result: Refusal, problem?: string) => {
    const account = accounts.get(request)?.channel.account;
    request.refusal = problem === undefined ? undefined : { problem, account };
    parts.onResult(result, request, reply);
    return refuseCallback(result, reply);
  };

  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string', bodyLimit: BODY_BYTES }, (_request, body, done) =>
    done(null, body),
  );

  // A request is answered by the account that it was let in by, also when that one is replaced meanwhile.
  const accounts = new WeakMap<FastifyRequest, CallbackAccount>();
  const accountOf = (request: FastifyRequest) => accounts.get(request) as CallbackAccount;
  app.addHook('onRequest', (request, reply, done) => {
    if (request.routeOptions.url === undefined) return done();
    const { account: name } = request.params as { readonly account?: string };
    // The default account has one address, without its name.
    const account = name === DEFAULT_ACCOUNT ? undefined : parts.account(name ?? DEFAULT_ACCOUNT);
    if (account === undefined) return void refuse(request, reply, 'source', PROBLEMS.account);
    accounts.set(request, account);
    if (account.isAllowedSource(request.source)) done();
    else refuse(request, reply, 'source', PROBLEMS.source);
  });

  app.setErrorHandler((error: { code?: string; statusCode?: number }, request, reply) => {
    const malformed = (why?: string) => refuse(request, reply, 'malformed', `${why}; ${AS_IT_CAME}`);
    if (error instanceof InputError) return malformed(error.message);
    if (error.statusCode === 413) return refuse(request, reply, 'too-large', PROBLEMS['too-large']);
    if (error.statusCode !== undefined && error.statusCode < 500) return malformed(error.code);
    request.log.error({ err: error }, 'callback broke');
    return refuse(request, reply, 'broken');
  });

  for (const path of [PATH, `${PATH}/:account`]) {
    app.get(path, async (request, reply) => {
      const { cipher } = accountOf(request);
      const { signature, timestamp, nonce, echostr } = readSignedQuery(request.url);
      if (echostr === undefined) throw new InputError('the query has no echostr');
      if (!cipher.isSigned(signature, timestamp, nonce, echostr))
        return refuse(request, reply, 'signature', PROBLEMS.signature);
      const plaintext = readEcho(cipher.decrypt(echostr));
      parts.onResult('verified', request, reply);
      return reply.type('text/plain').send(plaintext);
    });

    app.post(path, async (request, reply) => {
      const { cipher, corpId, channel, agentId } = accountOf(request);
      const { signature, timestamp, nonce } = readSignedQuery(request.url);
      const encrypted = readEncrypted(typeof request.body === 'string' ? request.body : '');
      if (!cipher.isSigned(signature, timestamp, nonce, encrypted))
        return refuse(request, reply, 'signature', PROBLEMS.signature);
      const message = readMessage(cipher.decrypt(encrypted));
      const answerNothing = () => {
        parts.onResult('empty', request, reply);
        return reply.code(200).send('');
      };
      if (message === null || !isFor({ agentId, corpId }, message)) return answerNothing();
      const { fromUserName, id: msgId, createTime: createdAt, text } = message;
      // Userids are told apart without regard to case (protocol §4.8).
      const user = normalizeUserId(fromUserName);
      const incoming: Incoming = { channel, user, msgId, createdAt, text, trace: request.id };
      const answered = await parts.receive(incoming);
      if (answered === null) return answerNothing();
      parts.onResult('reply', request, reply);
      reply.raw.once('finish', () => parts.onSent(answered, incoming));
      const sealed = sealTextReply(cipher, {
        toUser: fromUserName,
        fromCorp: corpId,
        content: answered.text,
        timestamp: Math.floor(parts.now() / 1000),
        nonce: parts.newNonce(),
      });
      return reply.type('application/xml').send(sealed);
    });
  }
}

/** Throws {@link InputError}: a message or a reply of ours that somebody has kept would be read to them. */
function readEcho(plaintext: string): string {
  if (!ECHO.test(plaintext)) throw new InputError('the echostr holds no echo');
  return plaintext;
}

/**
 * A message came to the address of this app and under its key, so it is meant for it unless it says otherwise; an event has
 * to say so. What we answer is encrypted and signed in the same way, but goes to a member.
 */
function isFor({ agentId, corpId }: Pick<CallbackAccount, 'agentId' | 'corpId'>, message: Message): boolean {
  if (message.toUserName !== null && message.toUserName !== corpId) return false;
  return message.agentId === agentId || (message.agentId === null && message.kind === 'message');
}
