import { createInterface } from 'node:readline/promises';
import type { Readable, Writable } from 'node:stream';
import { InputError } from '../src/errors.ts';
import type { Message } from './wecom/history.ts';

/** A phone in a terminal: whose it is, the demo it belongs to, and where the lines come from and go to. */
export interface TerminalPhone {
  readonly url: string;
  readonly user: string;
  readonly input: Readable;
  readonly output: Writable;
}

/**
 * Sends each line as a message of `user` and prints the replies and what is pushed, until the input ends.
 * Throws an InputError with one sentence when the demo does not run or does not know the user.
 */
export async function openTerminalPhone({ url, user, input, output }: TerminalPhone): Promise<void> {
  const closing = new AbortController();
  const events = await ask(`${url}/api/messages?user=${encodeURIComponent(user)}`).then(() =>
    fetch(`${url}/api/events?user=${encodeURIComponent(user)}`, { signal: closing.signal }),
  );
  const print = (text: string): void => void output.write(`${text}\n\n`);
  const pushes = printPushes(events, print);
  output.write(`${user} › 任意文字开始，Ctrl-D 结束\n`);
  const lines = createInterface({ input });
  for await (const line of lines) {
    if (line.trim() === '') continue;
    const { reply, problem } = await ask(`${url}/api/say`, { user, text: line });
    if (typeof reply === 'string') print(reply);
    else if (typeof problem === 'string') print(`（没有收到回复：${problem}）`);
  }
  closing.abort();
  await pushes;
}

/** Prints each pushed message of an event stream, until the stream ends. */
async function printPushes(events: Response, print: (text: string) => void): Promise<void> {
  let rest = '';
  const decoder = new TextDecoder();
  try {
    for await (const chunk of events.body ?? []) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines.filter((candidate) => candidate.startsWith('data: '))) {
        const message = JSON.parse(line.slice('data: '.length)) as Message;
        if (message.kind === 'push') print(message.text);
      }
    }
  } catch {
    // The stream was cut: by us at the end of the input, or because the demo stopped, which the next line will say.
  }
}

async function ask(url: string, body?: unknown): Promise<Record<string, unknown>> {
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
  let response: Response;
  try {
    response = await fetch(url, body === undefined ? {} : init);
  } catch {
    throw new InputError(`No demo answers at ${new URL(url).origin}; start it with: npm run demo`);
  }
  const answer = (await response.json()) as Record<string, unknown>;
  if (!response.ok) throw new InputError(String(answer.error));
  return answer;
}
