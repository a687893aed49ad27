/** The name of an error of mysql2, its number where mysql2 knows no name for it; empty for any other error. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const { code, errno } = error as { readonly code?: unknown; readonly errno?: unknown };
  return String(code ?? errno ?? '');
}

/** Whether an insert failed because its key is taken. */
export function isDuplicate(error: unknown): boolean {
  return codeOf(error) === 'ER_DUP_ENTRY';
}

/**
 * Whether a statement failed for another transaction's sake, so that its own may be run again. ER_CHECKREAD is MariaDB's (11.6.2 and
 * later) for a row that another has changed since the snapshot of the transaction.
 */
export function isDeadlock(error: unknown): boolean {
  return /^ER_(LOCK_DEADLOCK|LOCK_WAIT_TIMEOUT|CHECKREAD)$/.test(codeOf(error));
}

/** Whether a statement was refused for a value in it, such as a text that is too long: it will be refused again. */
export function isBadData(error: unknown): boolean {
  return error instanceof Error && 'sqlState' in error && /^22/.test(String(error.sqlState));
}

/** Refused by a server that takes no writes: one that was demoted, is offline, or is a node outside of its cluster (1047). */
const READ_ONLY =
  /^ER_(OPTION_PREVENTS_STATEMENT|CANT_EXECUTE_IN_READ_ONLY_TRANSACTION|READ_ONLY_MODE|SERVER_OFFLINE_MODE|UNKNOWN_COM_ERROR)$/;

/** Whether the server does not take writes, while another one behind the same address may. */
export function isReadOnly(error: unknown): boolean {
  return READ_ONLY.test(codeOf(error));
}

/** No connection, or none with the TLS that was asked for; no room (on disk, in memory, for one more connection); shutting down, or ended by an administrator (1927: MariaDB). */
const AWAY =
  /^(E[A-Z]+|PROTOCOL_\w+|HANDSHAKE_\w+|1927|ER_(CON_COUNT_ERROR|TOO_MANY_USER_CONNECTIONS|USER_LIMIT_REACHED|OUT_OF_RESOURCES|DISK_FULL|RECORD_FILE_FULL|ERROR_ON_WRITE|GET_ERRNO|SERVER_SHUTDOWN|QUERY_INTERRUPTED))$/;

/** Whether the database could not be reached, takes no writes, has no room or gave up on a lock, rather than refused what was asked. */
export function isDatabaseAway(error: unknown): boolean {
  return AWAY.test(codeOf(error)) || isReadOnly(error) || isDeadlock(error);
}
