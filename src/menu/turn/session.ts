import type { Preview } from '../tree/context.ts';

/** One line of a list as it was shown: the n-th pin is what the number n means. */
export interface Pin {
  readonly key: string;
  readonly label: string;
  readonly name?: string | undefined;
}

/** One accepted input. `typed` is its segment of the path. */
export type Step =
  | { readonly kind: 'entry'; readonly typed: string; readonly number: number }
  | { readonly kind: 'answer'; readonly typed: string; readonly value: unknown; readonly label: string };

/** What is shown in pages, which count from 0. `notice` stands above the first one, which has so much less room. */
interface Paged {
  readonly page: number;
  readonly notice?: string | undefined;
}

/** What the user last saw, which is what the next input is resolved against. */
export type Screen =
  | ({ readonly kind: 'menu' } & Paged)
  /** `more`: the list was longer than what can be pinned. */
  | ({ readonly kind: 'choice'; readonly pins: readonly Pin[]; readonly more: boolean } & Paged)
  | { readonly kind: 'question' }
  /** `settled`: the steps already stand at the menu to go back to. */
  | ({ readonly kind: 'text'; readonly text: string; readonly settled: boolean } & Paged)
  | { readonly kind: 'preview'; readonly preview: Preview; readonly input: unknown };

/** Where a user stands. Plain JSON. */
export interface Session {
  readonly generation: string;
  readonly steps: readonly Step[];
  readonly screen: Screen;
}

/** The dash-joined path of a session: what was typed, `-` and `%` inside a segment percent-encoded. */
export function pathOf(session: Session): string {
  return session.steps.map(({ typed }) => encodeSegment(typed)).join('-');
}

/** Encodes one segment of a path. */
export function encodeSegment(typed: string): string {
  return typed.replaceAll('%', '%25').replaceAll('-', '%2D');
}

/** Decodes one segment of a path; the inverse of `encodeSegment`. */
export function decodeSegment(segment: string): string {
  return segment.replaceAll(/%(2D|25)/gi, (_, hex) => (hex === '25' ? '%' : '-'));
}
