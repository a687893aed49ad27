import type { Answer } from '../../contract/answer.ts';

type RefusedReason = Extract<Answer, { state: 'refused' }>['reason'];

const REFUSED: Readonly<Record<RefusedReason, number>> = {
  source: 403,
  token: 403,
  replay: 403,
  policy: 403,
  input: 400,
  missing: 404,
  expired: 409,
  used: 409,
  moved: 409,
  code: 409,
};

/** The HTTP status that goes with an answer. What the answer says counts; the status is for proxies and people. */
export function statusOf(answer: Answer): number {
  if (answer.state === 'refused') return REFUSED[answer.reason];
  if (answer.state === 'error') return 500;
  return answer.state === 'failed' ? 502 : 200;
}
