import type * as z from 'zod';
import { confirmation } from '../../contract/answer.ts';
import { isPlatform, platform } from '../../contract/platform.ts';
import { InputError, Refused } from '../../errors.ts';
import type { Operations } from '../operations/generations.ts';
import type { NamedOperation } from '../operations/load.ts';

/** What a request asks for, in the form that the contract gives it. */
export type ParsedRequest = ReturnType<typeof parseRequest>;

/**
 * Reads what is asked of `operations`: `name` as the path gives it, the body as it came.
 * Throws Refused('missing') for an operation that is not among them, InputError for a malformed body.
 */
export function parseRequest(
  operations: Operations,
  {
    name,
    isPreview,
    body,
  }: { readonly name: string; readonly isPreview: boolean; readonly body: Uint8Array },
) {
  const found = isPlatform(name) ? undefined : operations.find(name);
  const asked = isPlatform(name) ? platform[name] : found?.operation;
  if (asked === undefined) throw new Refused('missing', `平台没有这个操作：${name.slice(0, 60)}`);
  const json = readJson(body);
  const isChange = asked.kind === 'change';
  if (isPreview && !isChange) throw new InputError('这个操作没有预览');
  const confirmed = isChange && !isPreview ? read(confirmation, json) : undefined;
  const typed = confirmed === undefined ? json : confirmed.input;
  const input = found === undefined ? read<unknown>(asked.input, typed) : readInput(found, typed);
  const { unit } = input as { readonly unit?: string };
  return {
    name,
    title: asked.title,
    /** What is to be done; undefined for the operations about the platform itself. */
    found,
    input,
    /** The business unit that it is about, if any. */
    unit,
    /** There when a change is to be run. */
    confirmed: confirmed && { ...confirmed.preview, code: confirmed.code ?? null },
  };
}

/** Reads a body as JSON of that form. Throws InputError that names the first wrong field. */
export function readBody<T>(schema: z.ZodType<T>, body: Uint8Array): T {
  return read(schema, readJson(body));
}

function read<T>(schema: z.ZodType<T>, json: unknown): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  throw new InputError(`参数不对：${firstIssue(result.error).text}`);
}

/**
 * The input of an operation, which a menu of another version may have asked for otherwise. Throws an InputError that its user
 * can read; its cause says what is wrong.
 */
function readInput({ operation, input }: NamedOperation, json: unknown): unknown {
  const result = operation.input.safeParse(json);
  if (result.success) return result.data;
  const { at, text } = firstIssue(result.error);
  const { properties = {} } = input as { properties?: Readonly<Record<string, { readonly title?: string }>> };
  const title = Object.hasOwn(properties, at) ? properties[at]?.title : undefined;
  const what = title === undefined ? '输入' : `「${title}」`;
  throw new InputError(
    `${what}不符合平台现在的要求，没有执行。平台可能刚更新过，请从头再选一次；还是这样请告诉运维负责人`,
    { cause: new Error(text) },
  );
}

function firstIssue({ issues: [issue] }: z.ZodError) {
  const path = issue?.path.join('.') ?? '';
  return { at: String(issue?.path[0] ?? ''), text: `${path || '格式'} ${issue?.message ?? ''}`.trimEnd() };
}

function readJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new InputError('请求体不是 JSON');
  }
}
