import type { z } from 'zod';
import type { wholeSchema } from '../../src/push/campaigns/view.ts';
import type { MessageLine, MessageView } from '../../src/push/messages/message-view.ts';

/** The body of an answer of the API, as far as tests look into it: each answer has those fields that its route tells of. */
export interface PushAnswer {
  readonly id: string;
  readonly state: string;
  readonly error: string;
  readonly advice: string;
  readonly opaque: unknown;
  readonly msgid: string;
  readonly msgids: readonly string[];
  readonly receivers: MessageView['receivers'];
  readonly messages: readonly MessageLine[];
  /** Undefined on the last page of a list. */
  readonly next: string | undefined;
  readonly progress: z.infer<typeof wholeSchema>['progress'];
  /** Of a template that was filled in. */
  readonly content: unknown;
}
