import * as z from 'zod';

/** The fields of an answer by their names: of each its schema, and its value in what is shown. */
type Fields<Of, Shown> = {
  readonly [Name in keyof Shown]: readonly [schema: z.ZodType<Shown[Name]>, valueIn: (of: Of) => Shown[Name]];
};

/**
 * Makes what shows things of one type out of a table of fields, so that the document of the API, which has the `schema`,
 * and what `show` answers cannot differ. A value that is undefined is left out of the answer.
 */
export function viewOf<Of>() {
  return <Shown>(fields: Fields<Of, Shown>) => {
    const names = Object.keys(fields) as (keyof Shown)[];
    type Shape = { [Name in keyof Shown]: z.ZodType<Shown[Name]> };
    return {
      schema: z.object(Object.fromEntries(names.map((name) => [name, fields[name][0]])) as Shape),
      show: (of: Of) => Object.fromEntries(names.map((name) => [name, fields[name][1](of)])) as Shown,
    };
  };
}
