/** What a word says to be a secret, up to its end: `DB_PASSWORD=x`, `"token": "x"`, `Authorization: Bearer x`. */
const ASSIGNED =
  /((?:passw|pwd|secret|token|key|credential|authori[sz]ation)\w*[`'"]?\s*(?::=|=|:)\s*(?:(?:Bearer|Basic)\s+)?)(?:"[^"]*"?|'[^']*'?|[^\s,;)]+)/gi;
/** Keys that are known by their form: of AWS, of GitHub and the like, signed tokens, and long mixtures of letters and digits. */
const KEYS =
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\b(?:gh[pousr]_|sk-|xox[abp]-)[\w-]{10,}|\beyJ[\w-]{8,}\.[\w.-]+|(?<![\w+/=])(?=[\w+/=]*\d)(?=[\w+/=]*[a-z])(?=[\w+/=]*[A-Z])[\w+/=]{32,}/g;
const LOGIN = /\/\/[^\s/@"'\\]{1,512}@/g;

/** The text without the keys in it that are known by their form alone. */
export function hideKeys(text: string): string {
  return text.replace(KEYS, '***');
}

/** The text without these, without the login of an address, and without what a word before it says to be a secret. */
export function hideAssigned(text: string): string {
  return hideKeys(text.replace(LOGIN, '//***@').replace(ASSIGNED, '$1***'));
}
