import { isDeepStrictEqual } from 'node:util';
import { ApiFailure, badRequest } from './failure.ts';
import { isRecord } from './json.ts';

/** RFC 6902 on a copy. Throws 400 for what is no patch, 422 when a path is not there or a test does not hold. */
export function applyJsonPatch(target: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch) || !patch.every(isRecord)) throw badRequest('a JSON patch must be a list');
  return patch.reduce<unknown>(applyOne, structuredClone(target));
}

function applyOne(document: unknown, operation: Readonly<Record<string, unknown>>): unknown {
  const path = readPointer(operation.path);
  switch (operation.op) {
    case 'add':
      return add(document, path, operation.value);
    case 'remove':
      return remove(document, path);
    case 'replace':
      return add(remove(document, path), path, operation.value);
    case 'copy':
      return add(document, path, structuredClone(read(document, readPointer(operation.from))));
    case 'move': {
      const from = readPointer(operation.from);
      return add(remove(document, from), path, read(document, from));
    }
    case 'test':
      if (!isDeepStrictEqual(read(document, path), operation.value)) throw rejected(path);
      return document;
    default:
      throw badRequest(`unknown operation ${JSON.stringify(operation.op)} in a JSON patch`);
  }
}

function readPointer(pointer: unknown): readonly string[] {
  if (pointer === '') return [];
  if (typeof pointer !== 'string' || !pointer.startsWith('/'))
    throw badRequest('a JSON pointer starts with /');
  const steps = pointer.slice(1).split('/');
  return steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function read(document: unknown, path: readonly string[]): unknown {
  let value = document;
  for (const step of path) {
    if (Array.isArray(value)) value = value[indexIn(value, step, path)];
    else if (isRecord(value) && Object.hasOwn(value, step)) value = value[step];
    else throw rejected(path);
  }
  return value;
}

function add(document: unknown, path: readonly string[], value: unknown): unknown {
  return edit(
    document,
    path,
    (parent, last) => {
      if (!Array.isArray(parent)) return { ...parent, [last]: value };
      const at = last === '-' ? parent.length : indexIn([...parent, undefined], last, path);
      return parent.toSpliced(at, 0, value);
    },
    value,
  );
}

function remove(document: unknown, path: readonly string[]): unknown {
  read(document, path);
  return edit(
    document,
    path,
    (parent, last) => {
      if (Array.isArray(parent)) return parent.toSpliced(indexIn(parent, last, path), 1);
      return Object.fromEntries(Object.entries(parent).filter(([name]) => name !== last));
    },
    undefined,
  );
}

type Parent = readonly unknown[] | Readonly<Record<string, unknown>>;

/** The document with the parent of `path` replaced; `root` takes its place when the path is empty. */
function edit(
  document: unknown,
  path: readonly string[],
  change: (parent: Parent, last: string) => Parent,
  root: unknown,
): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return root;
  if (!Array.isArray(document) && !isRecord(document)) throw rejected(path);
  if (rest.length === 0) return change(document, step);
  const child = edit(read(document, [step]), rest, change, root);
  return Array.isArray(document) ? document.with(Number(step), child) : { ...document, [step]: child };
}

function indexIn(list: readonly unknown[], step: string, path: readonly string[]): number {
  const index = /^(0|[1-9]\d*)$/.test(step) ? Number(step) : -1;
  if (index < 0 || index >= list.length) throw rejected(path);
  return index;
}

function rejected(path: readonly string[]): ApiFailure {
  const message = `the server rejected our request due to an error in our request: /${path.join('/')}`;
  return new ApiFailure(422, 'Invalid', message);
}
