export { describeConnector } from './contract-suite.ts';
export type { ConnectorHarness, HarnessStore } from './harness.ts';
export { openConnectorProcess, openSandboxProcess, type ConnectorProcess } from './processes.ts';
