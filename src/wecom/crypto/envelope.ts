import { InputError } from '../../errors.ts';
import { optionalInteger, text } from '../xml/element.ts';
import { readXml } from '../xml/parser.ts';

/** The outer XML of a callback (§2.1). Nothing in it is proved before the signature of `encrypt` is checked. */
export interface Envelope {
  readonly toUserName: string;
  /** Null in callbacks that belong to no app. */
  readonly agentId: number | null;
  readonly encrypt: string;
}

/** Reads the body of a callback POST. Throws {@link InputError} when it is malformed or has no ciphertext. */
export function readEnvelope(xml: string): Envelope {
  const element = readXml(xml);
  const encrypt = text(element, 'Encrypt');
  if (encrypt === '') throw new InputError('<Encrypt> is missing');
  return { toUserName: text(element, 'ToUserName'), agentId: optionalInteger(element, 'AgentID'), encrypt };
}
