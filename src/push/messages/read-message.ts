import { InputError } from '../../errors.ts';
import { hashOf } from '../apps/signature.ts';
import { readValue } from '../content/read-value.ts';
import { isContentType, readJson } from '../http/read-body.ts';
import { type Ask, Refusal } from '../http/route.ts';
import type { HandedMessage, messageSchema } from './message-schema.ts';

/** A picture or file that came with its message. */
export interface Upload {
  readonly kind: 'image' | 'file';
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A message whose form is right, with what came beside it. */
export interface Handed {
  readonly message: HandedMessage;
  readonly upload?: Upload;
}

/** Most bytes of a message in JSON: 1000 userids and a long text. */
const JSON_LIMIT = 256 * 1024;

/** Reads a message: JSON, or multipart/form-data of `message` and an `image` or a `file`. Throws an InputError or a Refusal. */
export async function readMessage(
  { raw, contentType }: Pick<Ask, 'raw' | 'contentType'>,
  schema: ReturnType<typeof messageSchema>,
): Promise<Handed> {
  const { json, upload } = await readParts(raw as Buffer, contentType);
  if (json.length > JSON_LIMIT) {
    throw new Refusal(413, `A message is at most ${JSON_LIMIT} bytes of JSON.`);
  }
  const written = readJson(json);
  if (upload === undefined) return { message: readValue(schema, written, 'the message') };
  if (typeof written !== 'object' || written === null || upload.kind in written) {
    throw new InputError(`the part "message" must be a JSON object without "${upload.kind}"`);
  }
  const media = { sha256: hashOf(upload.bytes), name: upload.name };
  return { message: readValue(schema, { ...written, [upload.kind]: media }, 'the message'), upload };
}

async function readParts(bytes: Buffer, contentType: string): Promise<{ json: Buffer; upload?: Upload }> {
  if (isContentType(contentType, 'application/json')) return { json: bytes };
  const form = await new Response(new Uint8Array(bytes), { headers: { 'content-type': contentType } })
    .formData()
    .catch(() => {
      throw new InputError(
        'the body is no multipart/form-data with the boundary of its Content-Type, 27 to 70 characters long',
      );
    });
  const parts = [...form];
  const [, text] = parts.find(([name]) => name === 'message') ?? [];
  const [kind, file] = parts.find(([name]) => name === 'image' || name === 'file') ?? [];
  if (parts.length !== 2 || typeof text !== 'string' || !(file instanceof File)) {
    throw new InputError(
      'a multipart message has two parts: "message", and one "image" or "file" with a file name',
    );
  }
  const upload = {
    kind: kind as Upload['kind'],
    name: file.name,
    bytes: new Uint8Array(await file.arrayBuffer()),
  };
  return { json: Buffer.from(text), upload };
}
