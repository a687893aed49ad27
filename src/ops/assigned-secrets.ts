/** Words that say of what follows that it is a secret; the key of a cache or of a table is none. */
const WORD =
  '(?:passw\\w{0,40}|pwd\\w{0,40}|pass(?:phrase|code)|(?:secret|token|credential|authori[sz]ation|(?:api|access|account|aes|app|auth|client|encryption|license|master|private|secret|shared|signing|ssh|storage)[_-]?key)(?:s|_?(?:id|value|hash|string|text|data|base64|\\d+)|_\\w{0,40})?|_key(?==))';
/** What joins such a word and its secret; not what stands between an image and its tag, as in `shop/token:v2`. */
const JOINT = '[`\'"]?(?:\\s*(?::=|=)\\s*|(?<!/[\\w.-]{1,80}):\\s*|\\s+:\\s+)';
/** What a server says of a secret or a field, instead of the secret. */
const NO_SECRET =
  '(?!(?:yes|no|true|false|null|none|invalid|required|forbidden|missing|not|must)(?:[\\s,;)]|$))';
/** What a word says to be a secret, up to its end or to the next such word: `DB_PASSWORD=x`, `"token": "x"`, `Authorization: Bearer x`. */
const ASSIGNED = new RegExp(
  `(${WORD}${JOINT}${NO_SECRET}(?:(?:Bearer|Basic)\\s+)?)(?:"[^"]*"?|'[^']*'?|(?:(?!${WORD}${JOINT})[^\\s,;)])+)`,
  'gi',
);
const BEARER = /\b(Bearer|Basic)\s+(?=[\w+/.~-]*\d)[\w+/.~-]{8,}=*/gi;
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g;
/** Keys that are known by their form: of AWS, of GitHub and the like, signed tokens, and long mixtures of letters and digits. */
const KEYS =
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\b(?:gh[pousr]_|sk-|xox[abp]-)[\w-]{10,}|\beyJ[\w-]{8,}\.[\w.-]+|(?<![\w+/=])(?=[\w+/=]*\d)(?=[\w+/=]*[a-z])(?=[\w+/=]*[A-Z])[\w+/=]{32,}/g;
const LOGIN = /\/\/[^\s/@"'\\]{1,512}@/g;

/** The text without the keys in it that are known by their form alone. */
export function hideKeys(text: string): string {
  return text.replace(PRIVATE_KEY, '***').replace(KEYS, '***');
}

/** The text without these, without the login of an address, and without what a word before it says to be a secret. */
export function hideAssigned(text: string): string {
  const named = hideKeys(text.replace(LOGIN, '//***@')).replace(ASSIGNED, '$1***');
  return named.replace(BEARER, '$1 ***');
}
