import type { CatalogueEntry } from '../src/contract/catalogue.ts';

type Schema = CatalogueEntry['input'];

/**
 * The operations of a catalogue as the types of `#menu`: a file for the folder of the menus, so that the editor completes
 * names, inputs and outputs.
 */
export function menuTypes(operations: readonly CatalogueEntry[]): string {
  const table = (kind: CatalogueEntry['kind']): string =>
    operations
      .filter((each) => each.kind === kind)
      .map(({ name, title, input, output }) => {
        const answers = output === undefined ? '' : ` readonly output: ${typeOf(output)};`;
        return `    /** ${title.replaceAll('*/', '* /')} */\n    '${name}': { readonly input: ${typeOf(input)};${answers} };\n`;
      })
      .join('');
  return `// Written by \`npm run menu -- --types\` from the operations of the platform; do not change it by hand.
import '#menu';

declare module '#menu' {
  interface Reads {
${table('read')}  }
  interface Changes {
${table('change')}  }
}
`;
}

/** The type of what a schema allows; what it has no word for is unknown. */
function typeOf(schema: Schema): string {
  const { type, properties, items, additionalProperties, anyOf } = schema as Readonly<Record<string, Schema>>;
  const values = (schema.enum ?? (schema.const === undefined ? undefined : [schema.const])) as
    | unknown[]
    | undefined;
  if (values !== undefined) return values.map((value) => quoted(value)).join(' | ');
  if (Array.isArray(anyOf)) return anyOf.map((each: Schema) => typeOf(each)).join(' | ');
  switch (schema.type) {
    case 'string':
    case 'boolean':
    case 'null':
      return String(type);
    case 'integer':
    case 'number':
      return 'number';
    case 'array':
      return `Array<${typeOf(items ?? {})}>`;
    case 'object': {
      if (properties === undefined) return `Record<string, ${typeOf(additionalProperties || {})}>`;
      if (Object.keys(properties).length === 0) return 'Record<never, never>';
      const required = (schema.required ?? []) as readonly string[];
      const fields = Object.entries(properties).map(([name, each]) => {
        return `${/^[a-z_]\w*$/i.test(name) ? name : quoted(name)}${required.includes(name) ? '' : '?'}: ${typeOf(each as Schema)}`;
      });
      return `{ ${fields.join('; ')} }`;
    }
    default:
      return 'unknown';
  }
}

function quoted(value: unknown): string {
  return typeof value === 'string' && !/['\\\p{Cc}\u2028\u2029]/u.test(value)
    ? `'${value}'`
    : JSON.stringify(value);
}
