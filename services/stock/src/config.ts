import { commonConfig } from '@evenkeel/chassis';

export const stockConfig = commonConfig('stock');
