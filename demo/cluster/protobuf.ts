import { ApiFailure } from './failure.ts';

/** The content type in which kubectl sends what it makes itself, such as the deployment of `kubectl create deployment`. */
export const PROTOBUF = 'application/vnd.kubernetes.protobuf';

/** A field of a message: its name, what it holds, and whether there may be several. */
type Field = readonly [name: string, kind: 'text' | 'number' | 'flag' | 'map' | Message, several?: true];
/** The fields of a message that this server reads, by their numbers in the API's generated.proto. */
type Message = { readonly [number: number]: Field };

const metadata: Message = {
  1: ['name', 'text'],
  2: ['generateName', 'text'],
  3: ['namespace', 'text'],
  11: ['labels', 'map'],
  12: ['annotations', 'map'],
};
const port: Message = {
  1: ['name', 'text'],
  3: ['containerPort', 'number'],
  4: ['protocol', 'text'],
};
const variable: Message = { 1: ['name', 'text'], 2: ['value', 'text'] };
const container: Message = {
  1: ['name', 'text'],
  2: ['image', 'text'],
  3: ['command', 'text', true],
  4: ['args', 'text', true],
  6: ['ports', port, true],
  7: ['env', variable, true],
};
const template: Message = {
  1: ['metadata', metadata],
  2: ['spec', { 2: ['containers', container, true], 3: ['restartPolicy', 'text'] }],
};
const deployment: Message = {
  1: ['metadata', metadata],
  2: [
    'spec',
    {
      1: ['replicas', 'number'],
      2: ['selector', { 1: ['matchLabels', 'map'] }],
      3: ['template', template],
      7: ['paused', 'flag'],
    },
  ],
};
const job: Message = { 1: ['metadata', metadata], 2: ['spec', { 6: ['template', template] }] };
const attributes: Message = {
  1: ['namespace', 'text'],
  2: ['verb', 'text'],
  3: ['group', 'text'],
  4: ['version', 'text'],
  5: ['resource', 'text'],
  6: ['subresource', 'text'],
  7: ['name', 'text'],
};
/** What is read of each kind. */
const kinds: Readonly<Record<string, Message>> = {
  Deployment: deployment,
  Job: job,
  Namespace: { 1: ['metadata', metadata] },
  SelfSubjectAccessReview: {
    1: ['metadata', metadata],
    2: [
      'spec',
      {
        1: ['resourceAttributes', attributes],
        2: ['nonResourceAttributes', { 1: ['path', 'text'], 2: ['verb', 'text'] }],
      },
    ],
  },
  SelfSubjectRulesReview: { 1: ['metadata', metadata], 2: ['spec', { 1: ['namespace', 'text'] }] },
  SelfSubjectReview: { 1: ['metadata', metadata] },
};
/** What stands around every object. */
const typed: Message = { 1: ['apiVersion', 'text'], 2: ['kind', 'text'] };

/** Reads a deployment, a Job, a namespace, or a question of a client about itself, as kubectl sends it. Throws 415 for other kinds, and for fields that would be lost. */
export function readProtobuf(body: Buffer): unknown {
  if (body.subarray(0, 4).toString('latin1') !== 'k8s\0') throw notRead('what is no object of Kubernetes');
  const parts = [...fieldsOf(body.subarray(4))];
  const part = (number: number) => parts.find((each) => each.number === number)?.value;
  const type = readMessage(typed, asBytes(part(1)));
  const message = kinds[`${type.kind}`];
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
    const [name, kind, several] = field;
    const got = readValue(kind, value);
    if (several) read[name] = [...((read[name] as unknown[]) ?? []), got];
    else if (kind === 'map') read[name] = { ...(read[name] as object), ...(got as object) };
    else if (got !== '' && got !== false) read[name] = got;
  }
  return read;
}

function readValue(kind: Field[1], value: Value): unknown {
  if (kind === 'number') return Number(value);
  if (kind === 'flag') return value === 1;
  if (kind === 'text') return asBytes(value).toString();
  if (kind !== 'map') return readMessage(kind, asBytes(value));
  const { key = '', value: held = '' } = readMessage(
    { 1: ['key', 'text'], 2: ['value', 'text'] },
    asBytes(value),
  );
  return { [String(key)]: held };
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
  return value.every((byte) => byte === 0) || [...fieldsOf(value)].every((field) => isEmpty(field.value));
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
