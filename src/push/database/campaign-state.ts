/** How far a campaign is. */
export type CampaignState =
  | 'loading' // its receivers are streaming in; nobody sees it
  | 'removing' // they broke off; what came in is being removed
  | 'draft' // whole, and waits for somebody to start it
  | 'scheduled' // waits for its time, or for the next one
  | 'running' // its receivers are being handed out, or their messages are not final yet
  | 'paused' // nobody more is handed out
  | 'done'
  | 'stopped'; // for good, by somebody or because its run could not begin

/** The states that its app sees. */
export const visibleStates = ['draft', 'scheduled', 'running', 'paused', 'done', 'stopped'] as const;

/** How long after its time a missed run is still begun, ms; a later one is left out. */
export const LATEST_MS = 3_600_000;

/** At most so many receivers become one message: what message/send takes at once (§4.2). */
export const SLICE = 1000;

/** At most so many deliveries of one campaign are open, so that the queue does not grow with it. */
export const MAX_OPEN = 2000;
