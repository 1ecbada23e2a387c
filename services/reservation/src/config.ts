import { commonConfig } from '@evenkeel/chassis';

export const reservationConfig = commonConfig('reservation');
