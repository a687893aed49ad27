import { hideAssigned, hideKeys } from '#operations';

/** A statement with one of these may hold a secret in any of its literals and comments. */
const SENSITIVE =
  /identified|passw|pwd|secret|token|(?:api|access|private|encryption)_?key|encrypt|decrypt|credential|authori[sz]ation|authentication|bearer/i;
/** Comments, texts (also one without an end, since a statement may be cut off), numbers in hex; names in backticks are left. */
const PARTS =
  /\/\*[\s\S]*?(?:\*\/|$)|(?:#|--(?=\s|$))[^\n]*|`[^`]*(?:`|$)|'(?:[^'\\]|\\[\s\S]|'')*(?:'|\\?$)|"(?:[^"\\]|\\[\s\S]|"")*(?:"|\\?$)|\b0x[\da-f]+/gi;

/**
 * A statement without the secrets in it. Where a word says that there may be one, all texts and comments are hidden; a
 * backslash before a quote means one thing or another by the mode of the server, so then all behind the first quote is.
 */
export function hideStatementSecrets(sql: string): string {
  if (!SENSITIVE.test(sql)) return hideKeys(sql);
  const ambiguous = /\\['"]/.test(sql) ? sql.search(/['"]/) : -1;
  const [read, hidden] = ambiguous < 0 ? [sql, ''] : [sql.slice(0, ambiguous), "'***"];
  const masked = read.replace(PARTS, (part) => {
    if (part.startsWith('`')) return part;
    if (part.startsWith('/*')) return '/* *** */';
    return /^['"]/.test(part) ? `${part[0]}***${part[0]}` : '***';
  });
  return hideAssigned(`${masked}${hidden}`);
}
