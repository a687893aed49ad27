import { createHash } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  openSync,
  readSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { InputError } from '../../errors.ts';

/** A user of the machine, by numbers. */
export interface MachineUser {
  readonly uid: number;
  readonly gid: number;
}

/** Where programs are found, and whom they run as. */
export interface Machine {
  /** The folder of the operations. */
  readonly folder: string;
  /** OPS_COMMAND_USER; undefined when it is not set. */
  readonly user: MachineUser | undefined;
}

/** A program as it stands now. */
export interface Program {
  readonly path: string;
  /** Another one when it was replaced. */
  readonly version: string;
}

const FIRST_BYTES = 1024 * 1024;

/**
 * Looks for a program that may be run: by its whole path, or by one that begins with `./` and stays inside of the folder
 * of operations. Throws an InputError with the remedy; also when somebody could replace it who is not trusted as much as
 * the platform is.
 */
export function findProgram(run: string, { folder, user }: Machine): Program {
  const base = resolve(folder);
  const path = run.startsWith('./') ? join(base, run) : run;
  const real = realOf(path);
  if (run.startsWith('./') && !real.startsWith(`${realOf(base)}${sep}`))
    throw new InputError(`${run} leads out of the folder of operations`);
  const found = statSync(real);
  if (!found.isFile()) throw new InputError(`${run} is no file`);
  checkOwners(run, real, { base, user });
  const first = firstBytes(real);
  const isScript = first?.subarray(0, 2).toString() === '#!';
  if (!mayRun(real, found, { user, isScript }))
    throw new InputError(
      `${run} may not be run by ${nameOf(user)}; look at the rights of it and of the folders above, chmod 755`,
    );
  if (first && !isScript && first.subarray(0, 4).toString('latin1') !== '\x7fELF')
    throw new InputError(`${run} is no program; a script begins with #! and what runs it, such as #!/bin/sh`);
  const hash = createHash('sha256')
    .update(first ?? '')
    .update(`${found.size}`);
  return { path, version: hash.digest('base64url') };
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    throw new InputError(
      `${path} is not there; write the whole path of a program, or ./ and its path in the folder of operations`,
    );
  }
}

/** Who may write a program, or put another one in its place, is trusted as the platform is, or it is not run. */
function checkOwners(
  run: string,
  real: string,
  { base, user }: { base: string; user: MachineUser | undefined },
): void {
  const found = statSync(real);
  const own = process.geteuid?.() ?? 0;
  const owners = [0, own, statSync(base).uid].filter((uid) => uid === own || uid !== user?.uid);
  const groups = [0, process.getegid?.() ?? 0].filter(
    (gid) => user === undefined || user.uid === own || gid !== user.gid,
  );
  const isOpen = (found.mode & 0o002) !== 0 || ((found.mode & 0o020) !== 0 && !groups.includes(found.gid));
  if (isOpen || !owners.includes(found.uid)) {
    throw new InputError(
      `${run} may be written by others than the platform (owner ${found.uid}, rights ${(found.mode & 0o777).toString(8)}); chown root and chmod 755`,
    );
  }
  for (const folder of foldersAbove(real)) {
    const { mode } = statSync(folder);
    if ((mode & 0o1002) === 0o002)
      throw new InputError(`${folder}, which ${run} stands in, may be written by everybody; chmod o-w`);
  }
}

function mayRun(
  real: string,
  found: Stats,
  { user, isScript }: { user: MachineUser | undefined; isScript: boolean },
): boolean {
  if (user === undefined || user.uid === process.geteuid?.()) {
    return isAllowed(real, constants.X_OK | (isScript ? constants.R_OK : 0));
  }
  // Root may do everything, so that its own look says nothing.
  const needs = isScript ? 0o5 : 0o1;
  const isReached = foldersAbove(real).every((folder) => (rightsOf(statSync(folder), user) & 0o1) !== 0);
  return isReached && (rightsOf(found, user) & needs) === needs;
}

function rightsOf({ mode, uid, gid }: Stats, user: MachineUser): number {
  if (uid === user.uid) return mode >> 6;
  return gid === user.gid ? mode >> 3 : mode;
}

function foldersAbove(path: string): readonly string[] {
  const folder = dirname(path);
  return folder === path ? [] : [folder, ...foldersAbove(folder)];
}

/** Undefined for what may be run and not read. */
function firstBytes(path: string): Buffer | undefined {
  if (!isAllowed(path, constants.R_OK)) return undefined;
  const descriptor = openSync(path, 'r');
  try {
    const bytes = Buffer.allocUnsafe(FIRST_BYTES);
    return bytes.subarray(0, readSync(descriptor, bytes, 0, FIRST_BYTES, 0));
  } finally {
    closeSync(descriptor);
  }
}

function isAllowed(path: string, access: number): boolean {
  try {
    accessSync(path, access);
    return true;
  } catch {
    return false;
  }
}

function nameOf(user: MachineUser | undefined): string {
  return user === undefined ? 'the user of the platform' : `the user ${user.uid}:${user.gid}`;
}
