import { commonConfig } from '@evenkeel/chassis';

export const syncPolicyConfig = commonConfig('sync-policy');
