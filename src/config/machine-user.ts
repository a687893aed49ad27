import { InputError } from '../errors.ts';
import { readFile } from '../server/text-file.ts';

const PASSWD = '/etc/passwd';
const PASSWD_BYTES = 1024 * 1024;

/**
 * Reads a user of this machine, a name or `uid:gid`; undefined when nothing is set. Root is one where it is written out
 * whole: half of it is a slip.
 */
export function machineUser(text: string): { readonly uid: number; readonly gid: number } | undefined {
  if (text === '') return undefined;
  const numbers = /^(\d{1,9}):(\d{1,9})$/.exec(text) ?? named(text);
  if (numbers === undefined)
    throw new InputError(`is no user of ${PASSWD}; write a name in it, or uid:gid, such as 65534:65534`);
  const [uid, gid] = numbers.slice(1).map(Number) as [number, number];
  if ((uid === 0) !== (gid === 0))
    throw new InputError('is half root: write another user, such as nobody, or root for all of it');
  return { uid, gid };
}

function named(name: string): readonly string[] | undefined {
  const lines =
    readFile(PASSWD, PASSWD_BYTES)
      .text?.split('\n')
      .map((line) => line.split(':')) ?? [];
  const found = lines.find(([each]) => each === name);
  return found && ['', found[2] ?? '', found[3] ?? ''];
}
