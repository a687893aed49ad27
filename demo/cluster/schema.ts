import { readFileSync } from 'node:fs';
import { mergeKeyOf } from './merge-keys.ts';

/** What a field holds: a plain value, a list, a map by text, or an object of a named type. */
export type FieldType =
  | 'string'
  | 'number'
  | 'boolean'
  | 'time'
  | 'quantity'
  | 'int-or-string'
  | 'any'
  | { readonly list: FieldType }
  | { readonly map: FieldType }
  | { readonly object: string };

/** One field of a type. */
export interface Field {
  readonly type: FieldType;
  readonly isRequired: boolean;
  readonly description: string;
  /** The member that names an item, where the field is a list that is really a map. */
  readonly mergeKey: string | undefined;
}

/** An object type of the API, as Kubernetes documents it. */
export interface ObjectType {
  readonly description: string;
  readonly fields: ReadonlyMap<string, Field>;
}

const known = new Map<string, ObjectType>();

/**
 * The type of that name, such as `V1DeploymentSpec`. The client library is generated from the API's own document, and
 * its declarations hold all of it: names, types, what is required, and what each field means.
 */
export function typeNamed(name: string): ObjectType {
  const found = known.get(name) ?? readType(name);
  known.set(name, found);
  return found;
}

/** The name of the type that holds objects of a kind: of `Deployment` in `apps/v1` it is `V1Deployment`. */
export function typeOfKind({ version, kind }: { readonly version: string; readonly kind: string }): string {
  const name = `${version.toUpperCase().replace('BETA', 'beta')}${kind}`;
  return name === 'V1Event' ? 'CoreV1Event' : name;
}

const models = new URL('gen/models/', import.meta.resolve('@kubernetes/client-node'));
const comment = String.raw`(?:/\*\*\n\s*\* (?<text>.*)\n\s*\*/\s*)?`;
const declared = new RegExp(`${comment}export declare class`);
const member = new RegExp(
  String.raw`${comment}'_?(?<name>[\w$-]+)'(?<optional>\?)?: (?<type>\{[^}]*\}|[^;]+);`,
  'g',
);

function readType(name: string): ObjectType {
  const text = readFileSync(new URL(`${name}.d.ts`, models), 'utf8');
  const fields = [...text.matchAll(member)].map(({ groups = {} }): [string, Field] => {
    const field = groups.name ?? '';
    const type = isQuantity(name, field) ?? readFieldType(groups.type ?? '');
    const isRequired = groups.optional === undefined;
    return [field, { type, isRequired, description: groups.text ?? '', mergeKey: mergeKeyOf(field) }];
  });
  return { description: declared.exec(text)?.groups?.text ?? '', fields: new Map(fields) };
}

const plain: Readonly<Record<string, FieldType>> = {
  string: 'string',
  number: 'number',
  boolean: 'boolean',
  any: 'any',
  object: 'any',
  Date: 'time',
  V1MicroTime: 'time',
  IntOrString: 'int-or-string',
};

function readFieldType(text: string): FieldType {
  const [, item] = /^Array<(.*)>$/.exec(text) ?? [];
  if (item !== undefined) return { list: readFieldType(item) };
  const [, value] = /^\{\s*\[key: string\]: (.*);\s*\}$/.exec(text) ?? [];
  if (value !== undefined) return { map: readFieldType(value) };
  return plain[text] ?? { object: text };
}

const quantityMaps = ['limits', 'requests', 'capacity', 'allocatable', 'allocatedResources', 'overhead'];
const quantities = [
  'sizeLimit',
  'divisor',
  'averageValue',
  'V2MetricTarget.value',
  'V2MetricValueStatus.value',
];

/** An amount such as `500m` may also be a number; the declarations call it a string. */
function isQuantity(type: string, field: string): FieldType | undefined {
  if (quantityMaps.includes(field)) return { map: 'quantity' };
  return [field, `${type}.${field}`].some((name) => quantities.includes(name)) ? 'quantity' : undefined;
}
