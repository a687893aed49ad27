import type { FastifyReply } from 'fastify';

/** A response that stays open until one side ends it. */
export interface Stream {
  write(text: string): void;
  end(): void;
  /** Runs once, when the response has ended, whichever side ended it. */
  onEnd(listener: () => void): void;
}

/** All open responses, so that a stop can end them. */
export interface Streams {
  open(reply: FastifyReply, contentType: string): Stream;
  endAll(): void;
}

/** Bytes that a client may leave unread before it is dropped: a client that does not read must not fill the memory. */
const backlog = 4 * 1024 * 1024;

/** Creates an empty set of streams. */
export function createStreams(): Streams {
  const open = new Set<Stream>();
  return {
    open: (reply, contentType) => {
      reply.hijack();
      const { raw } = reply;
      raw.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-cache, private' });
      raw.flushHeaders();
      const stream: Stream = {
        write: (text) => {
          if (raw.writableLength > backlog) raw.destroy();
          else if (!raw.writableEnded) raw.write(text);
        },
        end: () => void raw.end(),
        onEnd: (listener) => void raw.once('close', listener),
      };
      open.add(stream);
      stream.onEnd(() => open.delete(stream));
      return stream;
    },
    endAll: () => {
      for (const stream of open) stream.end();
    },
  };
}
