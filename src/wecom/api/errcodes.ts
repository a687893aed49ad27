/**
 * What to do about an errcode (§4.13, 41002 and 41004 of §4.1, and 60021 of §4.8), by what it asks of the caller: `retry`
 * later, refresh the `token`, let somebody mend the `account`, without which no call can succeed, wait for a `limit` to
 * pass, or give up this message or receiver for good (`permanent`).
 */
const table = {
  retry: {
    'WeCom was not reached: check the network and the API address.': ['unsent'],
    'No usable answer came back; what was asked may have been done all the same.': ['lost'],
    'WeCom is busy: try again in a moment.': [-1],
  },
  token: {
    'The access token is not valid any more: fetch a new one.': [40014, 42001],
  },
  account: {
    'The app secret is wrong or not usable here, or the app is disabled.': [40001, 40091],
    'The corp id is wrong or missing.': [40013, 41002],
    'The app secret is missing.': [41004],
    'The agent id is wrong, missing, or not the one that the secret belongs to.': [40056, 41011, 301002],
    'The app may not use this API: permit it in the admin console.': [48002],
    'The app is disabled: enable it in the admin console.': [50003],
    'The source address is not among the trusted IPs (企业可信IP) of the app: add it there.': [60020],
  },
  limit: {
    'Too many calls: wait until the block has passed, and do not try before.': [45009, 45033],
  },
  permanent: {
    'The callback URL is wrong or cannot be verified.': [40057],
    'The app has no callback URL, and sends no cards to press then: set one in the admin console.': [43012],
    "The member is outside the app's visible range: widen it in the admin console.": [60011, 50002, 60021],
    'The redirect domain is not among the trusted domains of the app.': [50001],
    'The access token was missing from the URL: this is a bug.': [41001],
    'A parameter is wrong or empty: this is a bug.': [40008, 40035, 40058, 40063],
    'There is no such userid: drop the receiver.': [40003, 60111, 46004],
    'No receiver is valid: drop the message.': [81012, 81013, 82001],
    'Too many receivers at once: split the list.': [40032, 82002, 82003],
    'The media file has the wrong type or size.': [40004, 40005, 40006, 40011, 44001, 45001, 45007],
    'The media id is wrong or older than 3 days: upload the file again.': [40007],
    'The media id is missing: this is a bug.': [41006],
    'The OAuth code is wrong or used: begin the login again.': [40029],
    'The text holds characters that are not allowed.': [40033],
    'WeCom stopped the content as spam or forbidden words: tell the sender.': [40201, 85002],
    'The task id of the card is invalid or was used before: give every card a new one.': [42014],
    'A title, description or url is missing.': [41010, 41016, 41033],
    'The type of the card is wrong.': [42031],
    'A card of this type leads somewhere: give it a card_action of type 1 or 2.': [42045],
    'A title, keyname, text or userid of the card is missing or wrong.': [42027, 42033, 42038, 42041, 42050],
    'A url, appid, media_id or button text of the card is missing.': [42028, 42029, 42030, 42044, 42049],
    'A list of the card has too many items, or none.': [42035, 42036, 42037, 42042, 42047],
    'A key or id of the card is missing, too long, or there twice.': [42039, 42040, 42043, 42046, 42051],
    'A button of the card is without a key or a name.': [42019, 42020],
    'The text is empty.': [44004],
    'The text is longer than 2048 bytes: split it.': [45002],
    'A news message has 1 to 8 articles.': [45008],
    'The answer would be too big: ask for it page by page.': [45029],
    'There is no such group chat: check the chatid.': [86001, 86003, 40050],
    'The group chat was not created by this app, which can send to its own only.': [86008],
    'The group chat is dissolved, or the sender is not in it any more.': [86217, 49008],
    'The members or the id of the group chat are wrong.': [86006, 86207, 86215, 86216],
    'The key of the robot is wrong, or the robot was removed from its group: enter the new key.': [93000],
    'The robot is disabled: enable it in its group.': [93004],
    'The robot is in no such group.': [93006, 93008],
    'The appid of the mini program is wrong.': [90207, 90208],
  },
} as const;

/** What an answer of the server API asks of the caller. */
export type ErrorKind = keyof typeof table;
export const errorKinds = Object.keys(table) as readonly ErrorKind[];

/**
 * WeCom's errcode, or our word for a call without one: `unsent` when WeCom was never reached, `lost` when no usable
 * answer came back, so that what was asked may have been done.
 */
export type Errcode = number | 'unsent' | 'lost';

/** The kind of an error and one English sentence for whoever reads the log. */
interface ErrorAdvice {
  readonly kind: ErrorKind;
  readonly advice: string;
}

const byErrcode = new Map<Errcode, ErrorAdvice>();
for (const [kind, errcodes] of Object.entries(table)) {
  for (const [advice, those] of Object.entries<readonly Errcode[]>(errcodes)) {
    for (const errcode of those) byErrcode.set(errcode, { kind: kind as ErrorKind, advice });
  }
}

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
