export { describeConnector } from './contract-suite.ts';
export type { ConnectorHarness, HarnessStore } from './harness.ts';
