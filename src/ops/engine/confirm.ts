import { InputError, Refused } from '../../errors.ts';
import { MAX_TRIES, type Match, type OperationRow, type OperationStore } from './store.ts';

/**
 * Starts the preview that a confirmation names, at most once over all replicas, and answers its row.
 * Throws Refused (`code`, `expired`, `used`, `policy` for somebody else's, `missing`), or InputError when the
 * confirmation is for something else than was previewed. A wrong code may be corrected, four times.
 */
export async function confirm(store: OperationStore, match: Match, now: number): Promise<OperationRow> {
  const row = await store.find(match.id);
  if (row === undefined) throw new Refused('missing', '没有这个预览，请重新操作');
  // The try is counted before the code is compared, so that many at once cannot be more than five.
  if (row.code !== null && !(await store.countTry(match.id, match.user, now))) throw refusal(row, match, now);
  if (await store.start(match, now)) return { ...row, state: 'started', started_at: now };
  throw refusal((await store.find(match.id)) ?? row, match, now);
}

/** Why the row was not started, read from the row afterwards: the first reason is the one to tell. */
function refusal(row: OperationRow, match: Match, now: number): Error {
  if (row.user !== match.user) return new Refused('policy', '这个预览是别人的，只能由本人确认');
  const { operation, input, hash } = match;
  if (row.operation !== operation || row.input !== input || row.hash !== hash) {
    return new InputError('确认的内容与预览不一致，请重新操作');
  }
  if (row.state !== 'previewed') return new Refused('used', '这个预览已经确认过或取消了，请重新操作');
  if (row.expires_at <= now) return new Refused('expired', '预览已过期，请重新操作');
  const left = row.code === match.code ? 0 : MAX_TRIES - row.tries;
  const isVoid = `输错 ${MAX_TRIES} 次，预览已作废，请重新操作`;
  return new Refused('code', left > 0 ? `验证码不对，还可以试 ${left} 次` : isVoid);
}
