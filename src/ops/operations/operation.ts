import { hash } from 'node:crypto';
import type * as z from 'zod';
import type { Risk } from '../../contract/operation.ts';
import { Refused } from '../../errors.ts';
import { canonicalJson } from '../json.ts';
import type { Reach } from '../targets/targets.ts';

/** What every operation may use. Rights have been checked; what the unit of its input reaches is handed in, and nothing else. */
export interface Context extends Reach {
  /** The text form of the principal that asks. */
  readonly user: string;
  /** Unix milliseconds. */
  readonly now: number;
}

interface Described<I> {
  /** What it is called on the phone, in an audit and in an outcome. */
  readonly title: string;
  /** An object with at least `unit`; JSON Schema must have a word for all of it. */
  readonly input: z.ZodType<I>;
  /** The only units in which there is such an operation; all where it is left out. */
  readonly units?: readonly string[] | undefined;
  /** Operations that its user must be allowed as well. */
  readonly needs?: readonly string[] | undefined;
  /** The services that it calls: in a unit that does not reach them there is no such operation. */
  readonly services?: readonly string[] | undefined;
  /** How many may run at the same time, and begin in an hour, over all replicas and units. */
  readonly limits?:
    | { readonly running?: number | undefined; readonly perHour?: number | undefined }
    | undefined;
}

/** An operation that only looks. */
export interface ReadOperation<I = unknown, O = unknown> extends Described<I> {
  readonly kind: 'read';
  readonly output: z.ZodType<O>;
  /** A list is made by `listOf` (listing.ts). Throws Refused, InputError or TargetFailed. */
  run(context: Context, input: I): Promise<O>;
}

/** What a change would do to an object as it stands now. */
export interface Inspection {
  /** What is changed, e.g. `shop/web`. */
  readonly target: string;
  /** All that the person reads before confirming. */
  readonly lines: readonly string[];
  readonly risk: Risk;
  /** Enough to put it back; JSON. */
  readonly before: unknown;
  readonly after: unknown;
  /** Differs whenever what was previewed would no longer be true. */
  readonly version: string;
}

/** A confirmed change: what was previewed, under the id of its row. */
export interface ConfirmedChange<I = unknown> extends Pick<Inspection, 'target' | 'before' | 'version'> {
  readonly id: string;
  readonly input: I;
  /** Unix milliseconds. */
  readonly startedAt: number;
}

/** How a change stands after its effect. Unless `final`, `text` says how it stands should nothing more come. */
export interface Observation {
  readonly final: boolean;
  readonly text: string;
  /** What is shown below the text, such as the last lines of a log. */
  readonly lines?: readonly string[];
  /** Of what is final: it went wrong, or nobody knows how it went; it went well when this is left out. */
  readonly outcome?: 'failed' | 'unknown';
}

/** What the real object says about a change whose effect was not recorded. */
export type Finding =
  | { readonly effect: 'applied' | 'never' }
  /** `text` tells what can be seen. */
  | { readonly effect: 'unknown'; readonly text: string };

/**
 * An operation that changes something. The engine (engine/runner.ts) sees to preview, confirmation, lease and audit;
 * all of these throw Refused, InputError or TargetFailed.
 */
export interface ChangeOperation<I = unknown> extends Described<I> {
  readonly kind: 'change';
  inspect(context: Context, input: I): Promise<Inspection>;
  /**
   * The one effect, and only on the object as it was previewed (else Refused `moved`). Refused means that there was none.
   * It must fail by itself when it arrives late: 10 s after `checkTime` answered at the latest. That one is called after
   * the last look at the object, and throws when another replica may have begun to find out what became of the change.
   * What it answers, if anything, is the first observation.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: an effect that has nothing to tell just ends
  apply(context: Context, change: ConfirmedChange<I>, checkTime: () => void): Promise<Observation | void>;
  /**
   * For how long after its confirmation it is followed, in seconds; 120 when it is left out. What says so takes long: its
   * user hears meanwhile how it stands.
   */
  readonly followSeconds?: number | undefined;
  /** What the user reads when the effect is there and its end is not. */
  submitted(change: ConfirmedChange<I>): string;
  observe(context: Context, change: ConfirmedChange<I>): Promise<Observation>;
  /**
   * Finds out whether `apply` had its effect, when that was not recorded. It may still be on its way to the object:
   * `never` is answered only when it would have no effect there any more.
   */
  reconcile(context: Context, change: ConfirmedChange<I>): Promise<Finding>;
  /**
   * For a change that lives in this process: it cannot be followed here any more, since the platform stops or another
   * replica may have taken it over. Answers when it has ended.
   */
  stop?(change: ConfirmedChange<I>): Promise<void>;
}

/** What a file of `operations/` exports by default. */
export type Operation = ReadOperation | ChangeOperation;

/** Declares an operation that only looks. */
export function read<I, O>(parts: Omit<ReadOperation<I, O>, 'kind'>): ReadOperation<I, O> {
  return { ...parts, kind: 'read' };
}

/** What an author says of a change; what is left out is the careful choice. */
interface ChangeParts<I>
  extends Omit<ChangeOperation<I>, 'kind' | 'inspect' | 'submitted' | 'observe' | 'reconcile'>,
    Partial<Pick<ChangeOperation<I>, 'submitted' | 'observe' | 'reconcile'>> {
  /**
   * Without `risk` it is `high`. Without `version` the lines count: `apply` is called only when they still read as they
   * were confirmed.
   */
  inspect(context: Context, input: I): Promise<Pick<Inspection, 'target' | 'lines'> & Partial<Inspection>>;
}

const BY_LINES = 'lines:';

/**
 * Declares an operation that changes something. Left out, `observe` takes the effect for the end, and `reconcile` says
 * that nobody knows.
 */
export function change<I>(parts: ChangeParts<I>): ChangeOperation<I> {
  const { title } = parts;
  const inspect = async (context: Context, input: I): Promise<Inspection> => {
    const found = await parts.inspect(context, input);
    const version = `${BY_LINES}${hash('sha256', canonicalJson(found.lines), 'base64url')}`;
    return { risk: 'high', before: null, after: null, version, ...found };
  };
  return {
    submitted: ({ target }) => `已提交：${title} ${target}，完成后会告诉你`,
    observe: async (_context, { target }) => ({ final: true, text: `${title} ${target}：已执行` }),
    reconcile: async () => ({ effect: 'unknown', text: '平台看不到它有没有生效' }),
    ...parts,
    kind: 'change',
    inspect,
    async apply(context, confirmed, checkTime) {
      if (confirmed.version.startsWith(BY_LINES)) {
        const { version } = await inspect(context, confirmed.input);
        if (version !== confirmed.version) throw new Refused('moved', `${confirmed.target} 刚刚被改动过`);
        checkTime();
      }
      return parts.apply(context, confirmed, checkTime);
    },
  };
}
