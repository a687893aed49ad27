import type { Logger, LoggerOptions } from 'pino';

type LogMethod = NonNullable<NonNullable<LoggerOptions['hooks']>['logMethod']>;

/** The level of warnings; less severe lines tell of no errors. */
const WARN = 40;
const EVERY_MS = 60_000;
/** So many kinds of lines are told apart; all beyond are one. */
const KINDS = 500;
/** So many messages are named in one line; their numbers are those that people were told. */
const NUMBERS = 500;
const NUMBER_LENGTH = 8;
const TEXT = 200;
/** What tells lines of the same words apart. Anything else may be another in each line. */
const KIND_FIELDS = [
  'part',
  'account',
  'app',
  'check',
  'folder',
  'state',
  'operation',
  'api',
  'errcode',
  'problem',
  'problems',
];

interface Repeated {
  count: number;
  readonly numbers: Set<string>;
  /** Writes the last of them. */
  write(more: object): void;
}

/**
 * Makes pino's hook that brakes warnings and errors: of those of one kind the first is written, and then once a minute the last, with
 * `repeated`, how many there were since, and `numbers`, the beginnings of the ids of their messages. `flush` writes what is left of that.
 */
export function createLogBrake() {
  const kinds = new Map<string, Repeated | undefined>();
  const tell = (kind: string): boolean => {
    const repeated = kinds.get(kind);
    if (repeated === undefined) return false;
    const { count, numbers, write } = repeated;
    kinds.set(kind, undefined);
    write({ repeated: count, ...(numbers.size > 0 && { numbers: [...numbers] }) });
    return true;
  };
  /** A minute without another one of its kind, and the next is a first one again. */
  const watch = (kind: string): void => {
    setTimeout(() => {
      if (tell(kind)) watch(kind);
      else kinds.delete(kind);
    }, EVERY_MS).unref();
  };
  const logMethod: LogMethod = function logMethod(this: Logger, args, method, level) {
    if (level < WARN) return method.apply(this, args);
    const [fields, words] = fieldsOf(args);
    const own = this.bindings();
    const named = kindOf(level, { ...own, ...fields }, words);
    const kind = kinds.has(named) || kinds.size < KINDS ? named : '';
    if (!kinds.has(kind)) {
      kinds.set(kind, undefined);
      watch(kind);
      return method.apply(this, args);
    }
    const { count = 0, numbers = new Set<string>() } = kinds.get(kind) ?? {};
    const id = fields.id ?? own.id;
    if (typeof id === 'string' && numbers.size < NUMBERS) numbers.add(id.slice(0, NUMBER_LENGTH));
    const write = (more: object): void => method.apply(this, [{ ...fields, ...more }, words ?? '']);
    kinds.set(kind, { count: count + 1, numbers, write });
  };
  return {
    logMethod,
    flush(): void {
      for (const kind of kinds.keys()) tell(kind);
    },
  };
}

/** What pino is called with, as fields and words. */
function fieldsOf(args: readonly unknown[]): [Readonly<Record<string, unknown>>, string | undefined] {
  const [first, second] = args;
  if (typeof first === 'string') return [{}, first];
  const fields = first instanceof Error ? { err: first } : { ...(first as object | null) };
  return [fields, typeof second === 'string' ? second : undefined];
}

function kindOf(
  level: number,
  { err, error = err, ...fields }: Readonly<Record<string, unknown>>,
  words = '',
): string {
  const named = KIND_FIELDS.map((name) => fields[name]);
  return JSON.stringify([level, shape(words), ...named.map((value) => shape(`${value}`)), ...causes(error)]);
}

/** Names and words of an error and of what caused it. */
function causes(error: unknown): readonly string[] {
  const found: string[] = [];
  for (let each = error; each instanceof Error && found.length < 9; each = each.cause) {
    found.push(each.name, shape(each.message));
  }
  return found;
}

/** A text without what is another one each time: numbers, ids, addresses, and what stands in quotes. */
function shape(text: string): string {
  return text.slice(0, TEXT).replace(/'[^']*'|"[^"]*"|[0-9a-f-]*\d[0-9a-f-]*/gi, '#');
}
