import { connectorApi } from '@evenkeel/connector-kit';
import { createEtsy } from './etsy.ts';

export const api = connectorApi({
  title: 'Etsy connector',
  marketplace: createEtsy({ apiUrl: '', tokenUrl: '', keystring: '', sharedSecret: '' }),
});
