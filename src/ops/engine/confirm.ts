import { InputError, Refused } from '../../errors.ts';
import { type CodeTries, spent } from './code-tries.ts';
import type { Limited } from './limits.ts';
import { type OperationRow, previewHash } from './operation-row.ts';
import type { Match, OperationStore } from './store.ts';

const PUT_BACK = '这个预览执行过，它的记录被改回去了，平台不会再执行，请联系运维负责人';

/**
 * Starts the preview that a confirmation names, at most once over all replicas, and answers its row.
 * Throws Refused (`code`, `expired`, `used`, `policy` for somebody else's, `missing`, `tampered`, `busy`, `moved` when the operation
 * was declared otherwise then), or InputError when the
 * confirmation is for something else than was previewed. A wrong code may be corrected, as often as {@link CodeTries} says.
 * What was given is compared here, as it was written: a database takes texts for equal that differ in spaces at their end.
 */
export async function confirm(
  { store, codeTries }: { readonly store: OperationStore; readonly codeTries: CodeTries },
  match: Match & { readonly definition: string; readonly limited?: Limited },
  now: number,
): Promise<OperationRow> {
  const row = await store.find(match.id);
  if (row === undefined || row.id !== match.id) throw new Refused('missing', '没有这个预览，请重新操作');
  refuseUnlessOpen(row, match, now);
  if (previewHash(row, match.definition) !== row.hash) {
    throw new Refused('moved', '这个操作的定义刚刚更新过，请按新的内容确认');
  }
  if (await store.wasAllowed(row)) {
    // Another replica may just have started it: then it does not stand there as previewed any more.
    const current = await store.find(row.id);
    throw current?.state === 'previewed' ? new Refused('tampered', PUT_BACK) : used();
  }
  if (row.code !== null) {
    // The try is counted before the code is compared, so that many at once cannot be more than may be.
    const left = await codeTries.count(row, now);
    if (row.code !== match.code) throw left > 0 ? wrong(left) : spent();
    await codeTries.forget(row);
  }
  if (await store.start(row.id, now, match.limited)) return { ...row, state: 'started', started_at: now };
  refuseUnlessOpen((await store.find(row.id)) ?? row, match, now);
  throw used();
}

/** Throws why the row cannot be started: the first reason is the one to tell. */
function refuseUnlessOpen(row: OperationRow, match: Match, now: number): void {
  if (row.user !== match.user) throw new Refused('policy', '这个预览是别人的，只能由本人确认');
  const { operation, input, hash } = match;
  if (row.operation !== operation || row.input !== input || row.hash !== hash) {
    throw new InputError('确认的内容与预览不一致，请重新操作');
  }
  if (row.state !== 'previewed') throw used();
  if (row.expires_at <= now) throw new Refused('expired', '预览已过期，请重新操作');
}

const used = () => new Refused('used', '这个预览已经确认过或取消了，请重新操作');
const wrong = (left: number) => new Refused('code', `验证码不对，还可以试 ${left} 次`);
