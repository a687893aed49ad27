import { createHash } from 'node:crypto';
import { CronExpressionParser } from 'cron-parser';
import { InputError } from '../../errors.ts';
import type { NewCampaign } from './campaign-schema.ts';

type Schedule = NonNullable<NewCampaign['schedule']>;
type Cron = Extract<Schedule, { readonly cron: string }>;

/** Throws an InputError of one sentence when the expression or the timezone is none, or it never comes. */
export function checkSchedule(schedule: Schedule, now: number): void {
  if ('at' in schedule) {
    if (schedule.at <= now) throw new InputError('schedule.at: is over; give a time in the future');
    return;
  }
  if (schedule.cron.trim().split(/\s+/).length !== 5) {
    throw new InputError('schedule.cron: must have five fields, such as 0 9 * * 1-5');
  }
  try {
    new Intl.DateTimeFormat('en', { timeZone: schedule.timezone });
  } catch {
    throw new InputError('schedule.timezone: must be one of the IANA database, such as Asia/Shanghai');
  }
  try {
    nextOf(schedule, now);
  } catch {
    throw new InputError('schedule.cron: is not a cron expression that ever comes; see crontab(5)');
  }
}

/**
 * When the next run of a campaign after `now` begins, Unix ms; null when there is none. A run that would begin exactly at
 * :00 or :30, which Tencent advises against (§4.12), begins 5 to 59 s later: as many for each run of a campaign, others
 * for another.
 */
export function nextRun(
  { id, schedule }: { readonly id: string; readonly schedule: string | null },
  now: number,
): number | null {
  if (schedule === null) return null;
  const when: Schedule = JSON.parse(schedule);
  const next = 'at' in when ? when.at : nextOf(when, now);
  if (next <= now) return null;
  const isRushHour = next % 1_800_000 === 0;
  return isRushHour ? next + offset(id) : next;
}

function nextOf({ cron, timezone }: Cron, now: number): number {
  return CronExpressionParser.parse(cron, { currentDate: new Date(now), tz: timezone })
    .next()
    .getTime();
}

function offset(campaignId: string): number {
  return (5 + (createHash('sha256').update(campaignId).digest().readUInt32BE() % 55)) * 1000;
}
