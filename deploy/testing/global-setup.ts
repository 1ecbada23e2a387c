import { deployContracts } from '@evenkeel/contracts';
import { openTestBacking } from './backing.ts';

/** One broker, registry and database for all integration tests, on free ports, with state that goes at the end. */
export default async function globalSetup(): Promise<void> {
  const backing = await openTestBacking();
  await deployContracts({ brokers: backing.brokers.split(','), registryUrl: backing.registryUrl });
}
