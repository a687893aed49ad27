import { badRequest } from './failure.ts';
import { isRecord } from './json.ts';
import { requireKind } from './object-kind.ts';
import type { Resource } from './resources.ts';
import { type FieldType, typeNamed, typeOfKind } from './schema.ts';

/** What becomes of a field that the kind does not have: the write is refused, the client is warned, or nothing. */
export const validations = ['Strict', 'Warn', 'Ignore'] as const;
export type Validation = (typeof validations)[number];

/**
 * The body without the fields that its kind does not have, and what to warn of. Throws 400 when the validation is
 * strict and there is one, and always for another kind and for a value of another type.
 */
export function checkFields(
  resource: Resource,
  body: unknown,
  validation: Validation,
): { readonly body: unknown; readonly warnings: readonly string[] } {
  requireKind(resource, body);
  const unknown: string[] = [];
  const check = (type: FieldType, value: unknown, path: string): unknown => {
    if (value === null || value === undefined || type === 'any') return value;
    const is = typeOf(value);
    if (!accepted(type).includes(is)) throw badRequest(wrongType(resource, path, is, type));
    if (typeof type === 'string') return value;
    if ('list' in type)
      return (value as unknown[]).map((each, index) => check(type.list, each, `${path}[${index}]`));
    const members = Object.entries(value);
    if ('map' in type) {
      return Object.fromEntries(
        members.map(([name, each]) => [name, check(type.map, each, `${path}.${name}`)]),
      );
    }
    const { fields } = typeNamed(type.object);
    return Object.fromEntries(
      members.flatMap(([name, each]) => {
        const field = fields.get(name);
        const at = path === '' ? name : `${path}.${name}`;
        if (field === undefined) unknown.push(`unknown field ${JSON.stringify(at)}`);
        return field === undefined ? [] : [[name, check(field.type, each, at)]];
      }),
    );
  };
  const clean = isRecord(body) ? check({ object: typeOfKind(resource) }, body, '') : body;
  if (validation === 'Strict' && unknown.length > 0)
    throw badRequest(`strict decoding error: ${unknown.join(', ')}`);
  return { body: clean, warnings: validation === 'Warn' ? unknown : [] };
}

type JsonType = 'string' | 'number' | 'boolean' | 'list' | 'object';

function typeOf(value: unknown): JsonType {
  if (Array.isArray(value)) return 'list';
  return isRecord(value) ? 'object' : (typeof value as JsonType);
}

function accepted(type: FieldType): readonly JsonType[] {
  if (typeof type !== 'string') return 'list' in type ? ['list'] : ['object'];
  if (type === 'quantity' || type === 'int-or-string') return ['string', 'number'];
  return type === 'number' || type === 'boolean' ? [type] : ['string'];
}

function wrongType({ kind, version }: Resource, path: string, is: JsonType, type: FieldType): string {
  const wanted = accepted(type).join(' or ');
  return `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: the field ${path} is a ${is}, not a ${wanted}`;
}
