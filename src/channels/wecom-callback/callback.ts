import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Incoming, Reply } from '../../chat/index.ts';
import { InputError } from '../../errors.ts';
import type { Cipher } from '../../wecom/crypto/cipher.ts';
import { readEnvelope } from '../../wecom/crypto/envelope.ts';
import { sealTextReply } from '../../wecom/crypto/reply.ts';
import { readMessage } from '../../wecom/events/message.ts';
import { readIncoming } from './incoming.ts';
import { readSignedQuery } from './query.ts';

/** How a callback was answered; the metrics count by it. */
export type CallbackResult =
  | 'reply'
  | 'empty'
  | 'verified'
  | 'source'
  | 'signature'
  | 'malformed'
  | 'too-large'
  | 'broken';

export interface CallbackParts {
  readonly cipher: Cipher;
  readonly corpId: string;
  readonly agentId: number;
  isAllowedSource(address: string): boolean;
  /** Answers the reply to a genuine message, or null for none. */
  receive(incoming: Incoming): Promise<Reply | null>;
  /** The reply has reached the socket. */
  onSent(reply: Reply, incoming: Incoming): void;
  onResult(result: CallbackResult, request: FastifyRequest, reply: FastifyReply): void;
  /** Unix milliseconds. */
  now(): number;
  newNonce(): string;
}

const PATH = '/wecom/callback';
const BODY_BYTES = 64 * 1024;

/**
 * The callback of one WeCom app (protocol §1–§3). What is wrong gets one plain status, and no more work than it takes
 * to see that it is wrong: the source address before anything is read, the signature before anything is decrypted.
 */
export function addCallback(app: FastifyInstance, parts: CallbackParts): void {
  const refuse = (
    request: FastifyRequest,
    reply: FastifyReply,
    status: number,
    result: CallbackResult,
    why: string,
  ) => {
    parts.onResult(result, request, reply);
    return reply.code(status).type('text/plain').send(why);
  };

  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string', bodyLimit: BODY_BYTES }, (_request, body, done) =>
    done(null, body),
  );

  app.addHook('onRequest', (request, reply, done) => {
    if (parts.isAllowedSource(request.ip)) done();
    else refuse(request, reply, 403, 'source', 'source not allowed\n');
  });

  app.setErrorHandler((error: { statusCode?: number }, request, reply) => {
    if (error instanceof InputError) return refuse(request, reply, 400, 'malformed', `${error.message}\n`);
    if (error.statusCode === 413) return refuse(request, reply, 413, 'too-large', 'body over 64 KiB\n');
    if (error.statusCode !== undefined && error.statusCode < 500) {
      return refuse(request, reply, 400, 'malformed', 'malformed request\n');
    }
    request.log.error({ err: error }, 'callback broke');
    return refuse(request, reply, 503, 'broken', 'try again later\n');
  });

  app.get(PATH, async (request, reply) => {
    const { signature, timestamp, nonce, echostr } = readSignedQuery(request.url);
    if (echostr === undefined) throw new InputError('the query has no echostr');
    if (!parts.cipher.isSigned(signature, timestamp, nonce, echostr)) {
      return refuse(request, reply, 403, 'signature', 'signature mismatch\n');
    }
    const plaintext = parts.cipher.decrypt(echostr);
    parts.onResult('verified', request, reply);
    return reply.type('text/plain').send(plaintext);
  });

  app.post(PATH, async (request, reply) => {
    const { signature, timestamp, nonce } = readSignedQuery(request.url);
    const { encrypt } = readEnvelope(typeof request.body === 'string' ? request.body : '');
    if (!parts.cipher.isSigned(signature, timestamp, nonce, encrypt)) {
      return refuse(request, reply, 403, 'signature', 'signature mismatch\n');
    }
    const plaintext = parts.cipher.decrypt(encrypt);
    const callback = readMessage(plaintext);
    const incoming = readIncoming(callback, { plaintext, agentId: parts.agentId, trace: request.id });
    const answered = incoming && (await parts.receive(incoming));
    if (incoming === null || answered === null || !('fromUserName' in callback)) {
      parts.onResult('empty', request, reply);
      return reply.code(200).send('');
    }
    parts.onResult('reply', request, reply);
    reply.raw.once('finish', () => parts.onSent(answered, incoming));
    const sealed = sealTextReply(parts.cipher, {
      toUser: callback.fromUserName,
      fromCorp: parts.corpId,
      content: answered.text,
      timestamp: Math.floor(parts.now() / 1000),
      nonce: parts.newNonce(),
    });
    return reply.type('application/xml').send(sealed);
  });
}
