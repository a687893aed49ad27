import { createWriteStream } from 'node:fs';
import { Writable } from 'node:stream';

/** The log of a role in a file, of which whoever edits menus or the policy also hears in the terminal. */
export interface RoleLog {
  readonly role: string;
  readonly file: string;
  /** Shows a sentence for each change that the role has refused, with every problem on a line of its own. */
  say(text: string): void;
}

/** Opens the log; it takes what a process prints, in chunks of any size. */
export function openRoleLog({ role, file, say }: RoleLog): Writable {
  const output = createWriteStream(file, { flags: 'a' });
  let rest = '';
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const refused = line.includes('"problems"') ? readRefusal(line) : undefined;
        if (refused !== undefined) say([`  ${role}: ${refused.msg}`, ...refused.problems].join('\n    '));
      }
      output.write(chunk, done);
    },
    final: (done) => void output.end(done),
  });
}

interface Refusal {
  readonly msg: string;
  readonly problems: readonly string[];
}

function readRefusal(line: string): Refusal | undefined {
  try {
    const { msg, problems } = JSON.parse(line) as Partial<Refusal>;
    return typeof msg === 'string' && Array.isArray(problems) ? { msg, problems } : undefined;
  } catch {
    return undefined;
  }
}
