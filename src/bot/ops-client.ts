import type * as z from 'zod';
import { Unavailable } from '../chat/index.ts';
import { type Answer, answer } from '../contract/answer.ts';
import { CATALOGUE, type Catalogue, catalogue } from '../contract/catalogue.ts';
import type { SigningKey } from '../contract/keys.ts';
import { type InputOf, type OutputOf, type PlatformName, platform } from '../contract/platform.ts';
import { REPORTS, type Report } from '../contract/report.ts';
import { signToken } from '../contract/token.ts';
import { InputError } from '../errors.ts';
import type { SendHttp } from '../server/http-client.ts';
import { traceHeader } from '../server/http-server.ts';
import { sentences } from './sentences.ts';

/** On whose behalf a call is made. `trace` is the id that the logs of bot and ops share. */
export interface Caller {
  /** The text form of a principal. */
  readonly user: string;
  /** Undefined when nobody says: then no right counts that stands on them. */
  readonly departments: readonly number[] | undefined;
  readonly trace: string;
}

/** The platform gave no answer; its cause says whether the request may have arrived (`mayHaveArrived`). */
export class OpsDown extends Error {
  override readonly name = 'OpsDown';
}

/** Words for a person that the platform gave no answer. */
export function unavailable(error: unknown): never {
  throw error instanceof OpsDown ? new Unavailable(sentences.platformDown) : error;
}

/** Calls the ops platform. */
export type OpsClient = ReturnType<typeof createOpsClient>;

interface OpsClientParts {
  readonly send: SendHttp;
  readonly url: string;
  readonly key: SigningKey;
  now(): number;
  newId(): string;
  onAnswer(operation: string, state: string, seconds: number): void;
}

const TIMEOUT_MS = 10_000;
/** Long lists of what runs in a cluster fit well. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Opens the client. Each request has a fresh token (src/contract/token.ts), and nothing is ever sent twice. */
export function createOpsClient(parts: OpsClientParts) {
  const send = async (
    path: string,
    operation: string,
    body: unknown,
    { user, departments, trace }: Partial<Caller>,
  ): Promise<Answer> => {
    const text = JSON.stringify(body);
    const started = parts.now();
    const done = (state: string) => parts.onAnswer(operation, state, (parts.now() - started) / 1000);
    try {
      const token = await signToken(parts.key, {
        ...(user !== undefined && { subject: user }),
        departments,
        operation,
        body: text,
        id: parts.newId(),
        now: started,
      });
      const { text: answerText } = await parts.send({
        method: 'POST',
        url: new URL(`${parts.url}${path}`),
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          ...(trace !== undefined && { [traceHeader]: trace }),
        },
        body: text,
        timeoutMs: TIMEOUT_MS,
        maxBytes: MAX_BYTES,
      });
      const answered = answer.parse(JSON.parse(answerText));
      done(answered.state);
      return answered;
    } catch (cause) {
      done('down');
      throw new OpsDown('the ops platform gave no answer', { cause });
    }
  };
  const post = (caller: Caller, operation: string, body: unknown): Promise<Answer> =>
    send(`/v1/operations/${operation}`, operation, body, caller);
  /** The output of a read; what a list leaves out is named in its `unread`. */
  const read = async (caller: Caller, name: string, input: unknown, form?: z.ZodType): Promise<unknown> => {
    const answered = await post(caller, name, input);
    if (answered.state !== 'done')
      throw new Unavailable('message' in answered ? answered.message : answered.state);
    const { unread } = answered;
    // The output is checked: the bot believes the platform no more than it has to.
    const output = form === undefined ? answered.output : form.parse(answered.output);
    return unread !== undefined && Array.isArray(output) ? Object.assign(output, { unread }) : output;
  };
  return {
    /** `operation` is the name of one, or `<name>/preview`. Throws `OpsDown`. */
    post,
    /**
     * Runs a read of the catalogue, whose output has to have the form, if one is given. Throws `OpsDown`, and `Unavailable` with the sentence of a platform that answered anything but `done`.
     */
    read,
    /**
     * Asks the platform about itself, or has it write down something of the caller's own operations, which does no harm
     * twice. Throws as `read` does.
     */
    async ask<N extends PlatformName>(caller: Caller, name: N, input: InputOf<N>): Promise<OutputOf<N>> {
      return (await read(caller, name, input, platform[name].output)) as OutputOf<N>;
    },
    /**
     * What the platform can do, on the bot's own account; the operations only where they are not those of the generation
     * `known`. Undefined when the platform is too old to say. Throws `OpsDown`.
     */
    async catalogue(known: string | undefined): Promise<Catalogue | undefined> {
      const question = known === undefined ? {} : { known };
      const answered = await send(`/v1/${CATALOGUE}`, CATALOGUE, question, {});
      if (answered.state === 'refused' && answered.reason === 'missing') return undefined;
      const read = answered.state === 'done' ? catalogue.safeParse(answered.output) : undefined;
      if (!read?.success) throw new OpsDown(`the platform answered no catalogue: ${answered.state}`);
      return read.data;
    },
    /**
     * Hands over what the bot tells on its own account, for no user. Throws when the platform has not written it down, and
     * an InputError when it will not, however often it is asked.
     */
    async report(report: Report): Promise<void> {
      const answered = await send(`/v1/${REPORTS}`, REPORTS, report, {});
      if (answered.state === 'refused' && answered.reason === 'input') {
        throw new InputError(`the platform cannot read a report, which is given up: ${answered.message}`);
      }
      if (answered.state !== 'done') throw new Error(`the platform took no report: ${answered.state}`);
    },
  };
}
