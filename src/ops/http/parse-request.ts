import type * as z from 'zod';
import { confirmation } from '../../contract/answer.ts';
import { contract, type InputOf, isOperation, type OperationName } from '../../contract/index.ts';
import { InputError, Refused } from '../../errors.ts';

/** What a request asks for, in the form that the contract gives it. */
export type ParsedRequest = ReturnType<typeof parseRequest>;

/**
 * Reads what is asked: `name` as the path gives it, the body as it came.
 * Throws Refused('missing') for an operation that the contract does not know, InputError for a malformed body.
 */
export function parseRequest(name: string, isPreview: boolean, body: Uint8Array) {
  if (!isOperation(name)) throw new Refused('missing', `平台没有这个操作：${name.slice(0, 60)}`);
  const json = readJson(body);
  const isChange = contract[name].kind === 'change';
  if (isPreview && !isChange) throw new InputError('这个操作没有预览');
  const confirmed = isChange && !isPreview ? read(confirmation, json) : undefined;
  const form: z.ZodType<InputOf<OperationName>> = contract[name].input;
  const input = read(form, confirmed === undefined ? json : confirmed.input);
  return {
    name,
    input,
    /** The business unit that it is about, if any. */
    unit: 'unit' in input ? input.unit : undefined,
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
  const [issue] = result.error.issues;
  throw new InputError(`参数不对：${issue?.path.join('.') || '格式'} ${issue?.message ?? ''}`.trimEnd());
}

function readJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new InputError('请求体不是 JSON');
  }
}
