import type { AcknowledgeName, ChangeName, InputOf, OutputOf, ReadName } from '../../contract/index.ts';
import type { Risk } from '../../contract/operation.ts';
import type { Attempt } from '../audit/audit.ts';
import type { Policy, Subject } from '../policy/policy.ts';
import type { Targets } from '../targets.ts';

/** What every operation may use. Rights have been checked; what a unit reaches is for `targets` to hold. */
export interface Context {
  readonly subject: Subject;
  readonly policy: Policy;
  readonly targets: Targets;
  /** Unix milliseconds. */
  readonly now: number;
}

/** An operation that only looks; a list is made by `listOf` (listing.ts). Throws Refused, InputError or TargetFailed. */
export type ReadOperation<N extends ReadName = ReadName> = (
  context: Context,
  input: InputOf<N>,
) => Promise<OutputOf<N>>;

/**
 * An operation that writes the platform's own records. It records in the audit itself what it takes away from anybody;
 * that it was asked is not worth a row. Throws Refused or InputError.
 */
export type AcknowledgeOperation<N extends AcknowledgeName = AcknowledgeName> = (
  context: Context,
  input: InputOf<N>,
  attempt: Attempt,
) => Promise<OutputOf<N>>;

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
export interface ConfirmedChange<N extends ChangeName = ChangeName>
  extends Pick<Inspection, 'target' | 'before' | 'version'> {
  readonly id: string;
  readonly input: InputOf<N>;
  /** Unix milliseconds. */
  readonly startedAt: number;
}

/** How a change stands after its effect. Unless `final`, `text` says how it stands should nothing more come. */
export interface Observation {
  readonly final: boolean;
  readonly text: string;
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
export interface ChangeOperation<N extends ChangeName = ChangeName> {
  inspect(context: Context, input: InputOf<N>): Promise<Inspection>;
  /**
   * The one effect, and only on the object as it was previewed (else Refused `moved`). Refused means that there was none.
   * It must fail by itself when it arrives late: 10 s after `checkTime` answered at the latest. That one is called after
   * the last look at the object, and throws when another replica may have begun to find out what became of the change.
   */
  apply(context: Context, change: ConfirmedChange<N>, checkTime: () => void): Promise<void>;
  /** What the user reads when the effect is there and its end is not. */
  submitted(change: ConfirmedChange<N>): string;
  observe(context: Context, change: ConfirmedChange<N>): Promise<Observation>;
  /**
   * Finds out whether `apply` had its effect, when that was not recorded. It may still be on its way to the object:
   * `never` is answered only when it would have no effect there any more.
   */
  reconcile(context: Context, change: ConfirmedChange<N>): Promise<Finding>;
}
