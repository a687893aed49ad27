import { statements } from '../../server/migrations.ts';

// biome-ignore lint/suspicious/noEmptyInterface: filled by the folder's owner
export interface CampaignTables {}

export const campaignTables = statements();
