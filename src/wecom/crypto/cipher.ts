import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hash,
  randomUUID,
  timingSafeEqual,
} from 'node:crypto';
import { InputError } from '../../errors.ts';

const ALGORITHM = 'aes-256-cbc';

const PREFIX_BYTES = 16;
const LENGTH_BYTES = 4;
const HEADER_BYTES = PREFIX_BYTES + LENGTH_BYTES;
const AES_BLOCK = 16;
const PADDING_BLOCK = 32;
const SIGNATURE_LENGTH = 40;

/**
 * The forms of what is signed (§1.2). It is signed without separators, so a piece of a ciphertext could be passed off as the
 * end or the beginning of its neighbour. What is left of one has whole blocks and whole base64 only when 64 characters or
 * more are taken away, and for these there is no room in a timestamp of ten digits and such a nonce.
 */
const TIMESTAMP = /^\d{10}$/;
const NONCE = /^[\w-]{1,64}$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The three values of an app's callback form (§1.1) and what `receiveid` must be: the corpid, for a self-built app (§1.3). */
export interface CipherSettings {
  readonly token: string;
  readonly encodingAesKey: string;
  readonly receiveId: string;
  /** The 16 bytes that begin a plaintext; tests fix them. */
  readonly random?: () => Buffer;
}

/** Signs, checks, seals and opens the messages of one app. The key is imported once and kept. */
export type Cipher = ReturnType<typeof createCipher>;

/**
 * Reads an EncodingAESKey to its 32 bytes; throws {@link InputError} unless it is 43 letters and digits (§1.1).
 * The two spare bits of its last character may be set, so it is never compared with its re-encoded form (§1.3).
 */
export function readEncodingAesKey(text: string): Buffer {
  if (!/^[A-Za-z0-9]{43}$/.test(text)) {
    throw new InputError('an EncodingAESKey is 43 letters and digits; copy it from the app’s callback form');
  }
  return Buffer.from(`${text}=`, 'base64');
}

/** Makes the cipher of one app. Throws {@link InputError} when the EncodingAESKey is not one. */
export function createCipher(settings: CipherSettings) {
  const { token, receiveId, random = randomPrefix } = settings;
  const keyBytes = readEncodingAesKey(settings.encodingAesKey);
  const key = createSecretKey(keyBytes);
  const iv = keyBytes.subarray(0, AES_BLOCK);
  const receiver = Buffer.from(receiveId);

  /** SHA-1 in lower-case hex over token, timestamp, nonce and `encrypted`, sorted (§1.2). */
  const sign = (timestamp: string, nonce: string, encrypted: string): string =>
    hash('sha1', [token, timestamp, nonce, encrypted].sort().join(''));

  // WeCom pads to blocks of 32 bytes, which Node does not know; so both directions take and give whole blocks of AES.
  const open = (encrypted: Buffer): Buffer =>
    createDecipheriv(ALGORITHM, key, iv).setAutoPadding(false).update(encrypted);
  const seal = (plain: Buffer): Buffer =>
    createCipheriv(ALGORITHM, key, iv).setAutoPadding(false).update(plain);

  return {
    sign,
    /**
     * Whether all have their forms and `signature` is right, which takes the same time wherever it differs; never throws,
     * whatever it is given.
     */
    isSigned: (signature: string, timestamp: string, nonce: string, encrypted: string): boolean => {
      if (!TIMESTAMP.test(timestamp) || !NONCE.test(nonce) || !isWholeBlocks(encrypted)) return false;
      const given = Buffer.from(signature);
      return (
        given.length === SIGNATURE_LENGTH &&
        timingSafeEqual(given, Buffer.from(sign(timestamp, nonce, encrypted)))
      );
    },
    /** Opens base64 as it came; throws {@link InputError} unless every bound of §1.3 holds. Check the signature first. */
    decrypt: (encrypted: string): string => readPlaintext(open(readCiphertext(encrypted)), receiver),
    /** Seals a text to base64 (§1.3). */
    encrypt: (text: string): string => seal(layPlaintext(random(), text, receiver)).toString('base64'),
  };
}

/** Fresh random bytes: the digits of a UUID, of which Node draws many at a time, at a sixth of the cost of `randomBytes`. */
function randomPrefix(): Buffer {
  return Buffer.from(randomUUID().replaceAll('-', ''), 'hex');
}

function isWholeBlocks(encrypted: string): boolean {
  const bytes = Buffer.byteLength(encrypted, 'base64');
  return bytes > 0 && bytes % AES_BLOCK === 0 && BASE64.test(encrypted);
}

/** Only the one spelling that an encoder produces is taken: Node would skip what is not base64. */
function readCiphertext(encrypted: string): Buffer {
  const bytes = Buffer.from(encrypted, 'base64');
  if (bytes.length === 0 || bytes.length % AES_BLOCK !== 0 || bytes.toString('base64') !== encrypted) {
    throw new InputError('the encrypted text is not whole AES blocks in base64');
  }
  return bytes;
}

function readPlaintext(padded: Buffer, receiver: Buffer): string {
  const plain = withoutPadding(padded);
  if (plain.length < HEADER_BYTES) throw new InputError('the decrypted text is too short');
  const end = HEADER_BYTES + plain.readUInt32BE(PREFIX_BYTES);
  if (end > plain.length) throw new InputError('the decrypted text is shorter than the length it states');
  if (!plain.subarray(end).equals(receiver)) {
    throw new InputError('the message is for another receiver: check the corp id');
  }
  return readUtf8(plain.subarray(HEADER_BYTES, end));
}

function withoutPadding(padded: Buffer): Buffer {
  const length = padded[padded.length - 1] ?? 0;
  const end = padded.length - length;
  const isPadding = length >= 1 && length <= PADDING_BLOCK && end >= 0;
  if (!isPadding || padded.subarray(end).some((byte) => byte !== length)) {
    throw new InputError('the padding is wrong: check the EncodingAESKey');
  }
  return padded.subarray(0, end);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function readUtf8(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new InputError('the decrypted text is not UTF-8');
  }
}

function layPlaintext(prefix: Buffer, text: string, receiver: Buffer): Buffer {
  const length = Buffer.byteLength(text);
  const end = HEADER_BYTES + length + receiver.length;
  const padding = PADDING_BLOCK - (end % PADDING_BLOCK);
  const plain = Buffer.alloc(end + padding, padding);
  prefix.copy(plain);
  plain.writeUInt32BE(length, PREFIX_BYTES);
  plain.write(text, HEADER_BYTES);
  receiver.copy(plain, HEADER_BYTES + length);
  return plain;
}
