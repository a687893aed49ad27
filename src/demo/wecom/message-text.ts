import { ApiError } from './api-error.ts';
import { cutText } from './text-limit.ts';

const placeholders = new Set([
  'image',
  'voice',
  'video',
  'file',
  'news',
  'mpnews',
  'miniprogram_notice',
  'template_card',
  'taskcard',
]);

/**
 * What a phone without pictures shows for the body of message/send (protocol §4.2).
 * Throws 40008 for an unknown `msgtype`, 40058 when its object is missing, 44004 for an empty text.
 */
export function readMessageText(message: Record<string, unknown>): { text: string; cut: boolean } {
  const type = message.msgtype;
  if (typeof type !== 'string') throw new ApiError(40008);
  const isText = type === 'text' || type === 'markdown';
  if (!isText && type !== 'textcard' && !placeholders.has(type)) throw new ApiError(40008, type);
  const body = message[type];
  if (typeof body !== 'object' || body === null) throw new ApiError(40058, `${type} missing`);
  const fields = body as Record<string, unknown>;
  if (isText) return cutText(required(fields.content));
  if (type !== 'textcard') return { text: `[${type}]`, cut: false };
  return { text: [fields.title, fields.description, fields.url].map(required).join('\n'), cut: false };
}

function required(value: unknown): string {
  if (value === undefined || value === '') throw new ApiError(44004);
  if (typeof value !== 'string') throw new ApiError(40058);
  return value;
}
