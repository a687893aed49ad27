import { readUserId } from '../userid.ts';
import { integer, optionalInteger, text, type XmlElement } from '../xml/element.ts';
import { appEvents } from './app-events.ts';
import { approvalEvents } from './approval-events.ts';
import { contactEvents } from './contact-events.ts';
import { customerEvents } from './customer-events.ts';

const readers = { ...appEvents, ...contactEvents, ...approvalEvents, ...customerEvents } as const;
type Readers = typeof readers;

/** The events that the page lists (§2.4), in lower case: `LOCATION` is `location`. */
export type EventName = keyof Readers;

/** What every event has. `createTime` is in Unix seconds; `fromUserName` is `sys` or empty when nobody caused it. */
export interface EventCommon {
  readonly kind: 'event';
  readonly toUserName: string;
  readonly fromUserName: string;
  readonly createTime: number;
  /** Null in events of the whole corp. */
  readonly agentId: number | null;
}

/** One event with its own fields: `Event<'click'>` has an `eventKey`. */
export type Event<N extends EventName = EventName> = {
  [K in N]: EventCommon & { readonly event: K } & Readonly<NonNullable<ReturnType<Readers[K]>>>;
}[N];

/** Reads an event; null when the page does not list it. Throws {@link InputError} when it is malformed. */
export function readEvent(element: XmlElement): Event | null {
  const event = text(element, 'Event').toLowerCase();
  if (!isEventName(event)) return null;
  const fields = readers[event](element);
  // Name and reader come from one row of the table, which the compiler cannot see.
  return fields && ({ ...readCommon(element), event, ...fields } as Event);
}

function isEventName(name: string): name is EventName {
  return Object.hasOwn(readers, name);
}

function readCommon(element: XmlElement): EventCommon {
  const from = text(element, 'FromUserName');
  return {
    kind: 'event',
    toUserName: text(element, 'ToUserName'),
    fromUserName: from === '' ? '' : readUserId(from),
    createTime: integer(element, 'CreateTime'),
    // taskcard_click spells it AgentId.
    agentId: optionalInteger(element, 'AgentID') ?? optionalInteger(element, 'AgentId'),
  };
}
