import { ApiFailure } from './failure.ts';
import { isRecord, stamp } from './json.ts';
import { type Field, type Message, messages } from './protobuf-messages.ts';

/** The content type in which kubectl sends what it makes itself, such as the deployment of `kubectl create deployment`. */
export const PROTOBUF = 'application/vnd.kubernetes.protobuf';

/** What stands around every object. */
const typed: Message = { 1: ['apiVersion', 'text'], 2: ['kind', 'text'] };

/** Reads an object as kubectl and client-go send it. Throws 415 for kinds that are not known here, and for fields that would be lost. */
export function readProtobuf(body: Buffer): unknown {
  if (body.subarray(0, 4).toString('latin1') !== 'k8s\0') throw notRead('what is no object of Kubernetes');
  const parts = [...fieldsOf(body.subarray(4))];
  const part = (number: number) => parts.find((each) => each.number === number)?.value;
  const type = readMessage(typed, asBytes(part(1)));
  const message = messages[`${type.kind}`];
  if (message === undefined) throw notRead(`objects of the kind ${type.kind}`);
  return { ...type, ...readMessage(message, asBytes(part(2))) };
}

function readMessage(message: Message, bytes: Buffer): Readonly<Record<string, unknown>> {
  const read: Record<string, unknown> = {};
  for (const { number, value } of fieldsOf(bytes)) {
    const field = message[number];
    if (field === undefined) {
      if (!isEmpty(value)) throw notRead(`field ${number} of a message`);
      continue;
    }
    const [name, holds, several] = field;
    const got = readValue(holds, value);
    if (several) read[name] = [...((read[name] as unknown[]) ?? []), got ?? (holds === 'text' ? '' : {})];
    else if (holds === 'map' || holds === 'amounts')
      read[name] = { ...(read[name] as object), ...(got as object) };
    else if (got !== undefined) read[name] = got;
  }
  return read;
}

const entryOf = (holds: Field[1]): Message => ({ 1: ['key', 'text'], 2: ['value', holds] });
const amount: Message = { 1: ['string', 'text'] };
const eitherOr: Message = { 1: ['type', 'number'], 2: ['number', 'number'], 3: ['text', 'text'] };

/** What a field says; undefined when it says that it is not set. */
function readValue(holds: Field[1], value: Value): unknown {
  switch (holds) {
    case 'number':
      return Number(value);
    case 'count':
      return Number(value) || undefined;
    case 'flag':
      return value === 1 || undefined;
    case 'text':
      return asBytes(value).toString() || undefined;
    case 'map': {
      const { key = '', value: text = '' } = readMessage(entryOf('text'), asBytes(value));
      return { [`${key}`]: text };
    }
    case 'amounts': {
      const { key = '', value: held } = readMessage(entryOf(amount), asBytes(value));
      return { [`${key}`]: isRecord(held) ? held.string : '0' };
    }
    case 'time': {
      const { seconds } = readMessage({ 1: ['seconds', 'count'], 2: ['nanos', 'count'] }, asBytes(value));
      return seconds === undefined ? undefined : stamp(new Date(Number(seconds) * 1000));
    }
    case 'or-text': {
      const { type, number, text } = readMessage(eitherOr, asBytes(value));
      return type === 1 ? text : number;
    }
    case 'json':
      return readJson(asBytes(value));
    default: {
      const message = readMessage(holds, asBytes(value));
      return Object.keys(message).length === 0 ? undefined : message;
    }
  }
}

function readJson(bytes: Buffer): unknown {
  const { text = '{}' } = readMessage({ 1: ['text', 'text'] }, bytes);
  try {
    return JSON.parse(`${text}`);
  } catch {
    throw notRead('fields that are no JSON');
  }
}

type Value = number | Buffer;

/** The fields of a message in their order; a number or the bytes of a text or a message. */
function* fieldsOf(bytes: Buffer): Generator<{ readonly number: number; readonly value: Value }> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) throw notRead('an object that is cut off');
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    const first = varint();
    if (tag % 8 === 0) yield { number, value: first };
    else if (tag % 8 === 2) {
      yield { number, value: bytes.subarray(at, at + first) };
      at += first;
    } else throw notRead(`wire type ${tag % 8}`);
  }
}

/** Nothing is in it but zeros and empty fields, which the client writes for what is not set. */
function isEmpty(value: Value): boolean {
  if (typeof value === 'number') return value === 0;
  if (value.every((byte) => byte === 0)) return true;
  try {
    return [...fieldsOf(value)].every((field) => isEmpty(field.value));
  } catch {
    // It is a text.
    return false;
  }
}

function asBytes(value: Value | undefined): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.alloc(0);
}

function notRead(what: string): ApiFailure {
  return new ApiFailure(
    415,
    'UnsupportedMediaType',
    `this cluster does not read ${what} as protobuf: send JSON`,
  );
}
