import { stripTypeScriptTypes } from 'node:module';
import { Socket } from 'node:net';
import { setImmediate as nextRound } from 'node:timers/promises';
import { ConfigError } from '../errors.ts';
import { closeNetwork } from './no-network.ts';
import { openRealm } from './realm.ts';
import { type Files, type FirstAnswer, type FirstMessage, type FromProcess, readLines } from './wire.ts';

/**
 * The process in which menus run (process.ts says with which rights). It reads lines, and takes one after the other; what
 * each leads to is told before that it is done. It ends when nobody speaks to it any more.
 */
const lines: string[] = [];
let isTaking = false;
let told: string[] = [];
let takeLine: ((line: string) => void) | undefined;

const write = (line: string): boolean => process.stdout.write(`${line}\n`);
const isAt = (path: string): boolean => write(JSON.stringify({ at: path } satisfies FromProcess));

async function begin(first: FirstMessage): Promise<FirstAnswer> {
  if ('strip' in first) return { stripped: strip(first.strip) };
  const send = (line: string): void => void told.push(line);
  const { entries, take } = await openRealm({ ...first, files: new Map(first.load), send, onLoading: isAt });
  takeLine = take;
  return { entries };
}

function strip(files: Files): Files {
  return files.map(([path, text]) => {
    isAt(path);
    try {
      return [path, stripTypeScriptTypes(text)];
    } catch (error) {
      // The first is enough: after some of them all that follow fail too.
      throw new ConfigError([`${path}: cannot be loaded: ${`${error}`.split('\n')[0]}`]);
    }
  });
}

async function takeAll(): Promise<void> {
  if (isTaking) return;
  isTaking = true;
  for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
    if (takeLine === undefined) {
      const answer = await begin(JSON.parse(line)).catch((error: unknown): FirstAnswer => {
        const problems =
          error instanceof ConfigError ? error.problems : [`the menus cannot be loaded: ${error}`];
        return { problems };
      });
      told.push(JSON.stringify(answer));
    } else takeLine(line);
    // After its microtasks nothing runs until the next line: there are no timers in the realm.
    await nextRound();
    write(`[${told.join(',')}]`);
    told = [];
  }
  isTaking = false;
}

closeNetwork();
// A promise that an entry has forgotten ends nothing.
process.on('unhandledRejection', () => {});
const wire = new Socket({ fd: 3 });
readLines(wire, (line) => {
  lines.push(line);
  void takeAll();
});
