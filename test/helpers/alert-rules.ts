import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** One rule of deploy/alerts.yaml; what only records has no alert. */
export interface Rule {
  readonly name: string;
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Where the rules are. */
export const alertsFile = join(import.meta.dirname, '../../deploy/alerts.yaml');

/** The rules of deploy/alerts.yaml, in their order. */
export function readRules(): readonly Rule[] {
  const { groups }: { groups: readonly { readonly rules: readonly Rule[] }[] } = parse(
    readFileSync(alertsFile, 'utf8'),
  );
  return groups
    .flatMap((group) => group.rules)
    .map((rule) => ({ ...rule, name: rule.alert ?? rule.record ?? '' }));
}

/** One line of /metrics. */
export interface Series {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

/** The lines of /metrics. */
export function readSeries(text: string): readonly Series[] {
  return [...text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)].map(([, name = '', labels = '', value]) => ({
    name,
    labels: new Map([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = '', of = '']) => [label, of])),
    value: Number(value),
  }));
}

/** The metrics of ours, and of Node, that an expression selects, each with the values that its matchers ask for. */
export function selectorsOf(expr: string) {
  return [...expr.matchAll(/\b((?:keypad|nodejs|process)_\w+)(?:\{([^}]*)\})?/g)].map(
    ([, name = '', inside = '']) => ({
      name,
      matchers: [...inside.matchAll(/(\w+)(=~|=|!=|!~)"([^"]*)"/g)].map(
        ([, label = '', how = '', value = '']) => ({
          label,
          how,
          values: how === '=~' ? value.split('|') : [value],
        }),
      ),
    }),
  );
}

/** The counts that the rules look at by the values of labels, one for each value of each label. */
export function countsOf(rules: readonly Rule[]) {
  return rules
    .flatMap(({ expr }) => selectorsOf(expr))
    .filter(({ name }) => /_(?:total|count|bucket)$/.test(name))
    .flatMap(({ name, matchers }) =>
      matchers.flatMap(({ label, how, values }) =>
        values.map((value) => ({ name, label, how, value, among: matchers })),
      ),
    );
}

/** Those of the series that one of these counts selects. */
export function selected(
  series: readonly Series[],
  { name, label, value, among }: ReturnType<typeof countsOf>[number],
) {
  return series.filter(
    (each) =>
      each.name === name &&
      each.labels.get(label) === value &&
      among.every((other) => other.values.includes(each.labels.get(other.label) ?? '')),
  );
}
