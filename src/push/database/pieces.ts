/** What holds back work that has time. */
export interface Pace {
  readonly sleep: (ms: number) => Promise<unknown>;
  /** Asked before each piece: once it is true, no more is begun. */
  readonly isStopped: () => boolean;
}

/** Between two pieces others have the database for themselves; ms. */
const PAUSE_MS = 50;

/** Does one piece after the other, as long as each resolves to whether there may be more, and at most so many. */
export async function inPieces(
  { sleep, isStopped }: Pace,
  piece: () => Promise<boolean>,
  most = 200,
): Promise<void> {
  for (let begun = 0; begun < most && !isStopped(); begun += 1) {
    if (!(await piece())) return;
    await sleep(PAUSE_MS);
  }
}
