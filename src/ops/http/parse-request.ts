import type * as z from 'zod';
import { confirmation } from '../../contract/answer.ts';
import {
  type AcknowledgeName,
  type ChangeName,
  contract,
  type InputOf,
  isOperation,
  type OperationName,
  type ReadName,
} from '../../contract/index.ts';
import { InputError, Refused } from '../../errors.ts';
import type { Confirmed } from '../engine/runner.ts';

interface Wish<K extends string, N extends OperationName> {
  readonly kind: K;
  readonly name: N;
  readonly input: InputOf<N>;
  /** The business unit that it is about, if any. */
  readonly unit: string | undefined;
}

/** What a request asks for, in the form that the contract gives it. */
export type ParsedRequest =
  | Wish<'read', ReadName>
  | Wish<'acknowledge', AcknowledgeName>
  | Wish<'preview', ChangeName>
  | (Wish<'run', ChangeName> & { readonly confirmed: Confirmed });

/**
 * Reads what is asked: `name` as the path gives it, the body as it came.
 * Throws Refused('missing') for an operation that the contract does not know, InputError for a malformed body.
 */
export function parseRequest(name: string, isPreview: boolean, body: Uint8Array): ParsedRequest {
  if (!isOperation(name)) throw new Refused('missing', `平台没有这个操作：${name.slice(0, 60)}`);
  const json = readJson(body);
  const { kind } = contract[name];
  if (kind !== 'change') {
    if (isPreview) throw new InputError('这个操作没有预览');
    return { kind, name, ...readInput(name, json) } as ParsedRequest;
  }
  const change = name as ChangeName;
  if (isPreview) return { kind: 'preview', name: change, ...readInput(change, json) };
  const { input, preview, code = null } = read(confirmation, json);
  return { kind: 'run', name: change, ...readInput(change, input), confirmed: { ...preview, code } };
}

function readInput<N extends OperationName>(name: N, json: unknown) {
  const input = read(contract[name].input as unknown as z.ZodType<InputOf<N>>, json);
  return { input, unit: 'unit' in input ? input.unit : undefined };
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
