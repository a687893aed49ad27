import { inspect } from 'node:util';

/** A value that only `reveal` gives away: logged, printed, spread or made into JSON it says `[secret]`. */
export interface Secret<T = string> {
  reveal(): T;
  toJSON(): string;
  readonly [inspect.custom]: () => string;
}

/** Wraps a value so that it cannot be printed by accident. */
export function createSecret<T>(value: T): Secret<T> {
  const hidden = () => '[secret]';
  return Object.freeze({ reveal: () => value, toJSON: hidden, toString: hidden, [inspect.custom]: hidden });
}
