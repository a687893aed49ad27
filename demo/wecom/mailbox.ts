import type { Arrival, Arrivals } from './arrivals.ts';
import type { History } from './history.ts';
import type { Shown } from './view.ts';

/** One accepted message on its way to its receivers. */
export interface Mail {
  readonly msgid: string;
  readonly msgtype: string;
  readonly shown: Shown;
}

/** Delivers a message to one receiver; one that is `dropped` is only recorded. */
export type PutMail = (receiver: string, mail: Mail, dropped?: Arrival['dropped']) => void;

/** Makes `putMail`: every message is recorded, and shown on the phone of a receiver that has one. */
export function createMailbox(options: {
  readonly arrivals: Arrivals;
  readonly history: History;
  /** Whether somebody looks at the phone of this receiver; the others' is not kept. */
  readonly hasPhone: (receiver: string) => boolean;
}): PutMail {
  const { arrivals, history, hasPhone } = options;
  return (receiver, { msgid, msgtype, shown }, dropped) => {
    const { text } = shown;
    arrivals.add({ receiver, msgid, msgtype, text, ...(dropped ? { dropped } : {}) });
    if (dropped || !hasPhone(receiver)) return;
    history.add({ user: receiver, direction: 'in', kind: 'push', msgid, ...shown });
  };
}
