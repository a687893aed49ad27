/**
 * What an answer of the server API asks of the caller: `retry` later, refresh the `token`, let somebody mend the
 * `account`, without which no call can succeed, wait for a `limit` to pass, or give up this message or receiver for good
 * (`permanent`).
 */
export type ErrorKind = 'retry' | 'token' | 'account' | 'limit' | 'permanent';

/**
 * WeCom's errcode, or our word for a call without one: `unsent` when WeCom was never reached, `lost` when no usable
 * answer came back, so that what was asked may have been done.
 */
export type Errcode = number | 'unsent' | 'lost';

/** The kind of an error and one English sentence for whoever reads the log. */
export interface ErrorAdvice {
  readonly kind: ErrorKind;
  readonly advice: string;
}

type Row = readonly [errcodes: readonly Errcode[], kind: ErrorKind, advice: string];

/** §4.13, 41002 and 41004 of §4.1, and 60021 of §4.8. */
const rows: readonly Row[] = [
  [['unsent'], 'retry', 'WeCom was not reached: check the network and the API address.'],
  [['lost'], 'retry', 'No usable answer came back; what was asked may have been done all the same.'],
  [[-1], 'retry', 'WeCom is busy: try again in a moment.'],
  [[40014, 42001], 'token', 'The access token is not valid any more: fetch a new one.'],
  [[40001, 40091], 'account', 'The app secret is wrong or not usable here, or the app is disabled.'],
  [[40013, 41002], 'account', 'The corp id is wrong or missing.'],
  [[41004], 'account', 'The app secret is missing.'],
  [
    [40056, 41011, 301002],
    'account',
    'The agent id is wrong, missing, or not the one that the secret belongs to.',
  ],
  [[40057], 'permanent', 'The callback URL is wrong or cannot be verified.'],
  [[48002], 'account', 'The app may not use this API: permit it in the admin console.'],
  [
    [60011, 50002, 60021],
    'permanent',
    "The member is outside the app's visible range: widen it in the admin console.",
  ],
  [[50001], 'permanent', 'The redirect domain is not among the trusted domains of the app.'],
  [[50003], 'account', 'The app is disabled: enable it in the admin console.'],
  [
    [60020],
    'account',
    'The source address is not among the trusted IPs (企业可信IP) of the app: add it there.',
  ],
  [[45009, 45033], 'limit', 'Too many calls: wait until the block has passed, and do not try before.'],
  [[41001], 'permanent', 'The access token was missing from the URL: this is a bug.'],
  [[40008, 40035, 40058, 40063], 'permanent', 'A parameter is wrong or empty: this is a bug.'],
  [[40003, 60111, 46004], 'permanent', 'There is no such userid: drop the receiver.'],
  [[81012, 81013, 82001], 'permanent', 'No receiver is valid: drop the message.'],
  [[40032, 82002, 82003], 'permanent', 'Too many receivers at once: split the list.'],
  [
    [40004, 40005, 40006, 40011, 44001, 45001, 45007],
    'permanent',
    'The media file has the wrong type or size.',
  ],
  [[40007], 'permanent', 'The media id is wrong or older than 3 days: upload the file again.'],
  [[41006], 'permanent', 'The media id is missing: this is a bug.'],
  [[40029], 'permanent', 'The OAuth code is wrong or used: begin the login again.'],
  [[40033], 'permanent', 'The text holds characters that are not allowed.'],
  [[40201, 85002], 'permanent', 'WeCom stopped the content as spam or forbidden words: tell the sender.'],
  [[42014], 'permanent', 'The task id of the card is invalid or was used before.'],
  [[44004], 'permanent', 'The text is empty.'],
  [[45002], 'permanent', 'The text is longer than 2048 bytes: split it.'],
  [[45008], 'permanent', 'A news message has 1 to 8 articles.'],
  [[45029], 'permanent', 'The answer would be too big: ask for it page by page.'],
  [[86001, 86003, 40050], 'permanent', 'There is no such group chat: check the chatid.'],
  [[86008], 'permanent', 'The group chat was not created by this app, which can send to its own only.'],
  [[86217, 49008], 'permanent', 'The group chat is dissolved, or the sender is not in it any more.'],
  [[86006, 86207, 86215, 86216], 'permanent', 'The members or the id of the group chat are wrong.'],
  [
    [93000],
    'permanent',
    'The key of the robot is wrong, or the robot was removed from its group: enter the new key.',
  ],
  [[93004], 'permanent', 'The robot is disabled: enable it in its group.'],
  [[93006, 93008], 'permanent', 'The robot is in no such group.'],
  [[90207, 90208], 'permanent', 'The appid of the mini program is wrong.'],
];

const byErrcode: ReadonlyMap<Errcode, ErrorAdvice> = new Map(
  rows.flatMap(([errcodes, kind, advice]) => errcodes.map((errcode) => [errcode, { kind, advice }] as const)),
);

const unlisted: ErrorAdvice = {
  kind: 'permanent',
  advice: 'This code is not in our table: look it up in the WeCom documentation.',
};

/** What to do about an errcode; an unlisted one is permanent (§4.13). For 60020 the advice names the address to add. */
export function adviseOn(errcode: Errcode, errmsg: string): ErrorAdvice {
  const found = byErrcode.get(errcode) ?? unlisted;
  const address = errcode === 60020 ? readSourceAddress(errmsg) : null;
  if (address === null) return found;
  return {
    ...found,
    advice: `Add ${address} to the trusted IPs (企业可信IP) of the app; it takes about a minute.`,
  };
}

/** The address that WeCom saw the call come from, as errmsg tells it (§4, §9.2). */
function readSourceAddress(errmsg: string): string | null {
  return /from ip: ([\da-fA-F.:]{2,45})/.exec(errmsg)?.[1] ?? null;
}
