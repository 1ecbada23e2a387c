import { commonConfig } from '@evenkeel/chassis';

export const orderConfig = commonConfig('order');
