const shared = {
  transform: {},
  extensionsToTreatAsEsm: ['.ts'],
  testEnvironment: 'node',
  setupFilesAfterEnv: process.env.TEST_JITTER ? ['<rootDir>/deploy/testing/jitter.ts'] : [],
};
const ignored = ['/node_modules/', '/\\.local/'];

/** Two projects: `unit` needs nothing but Node; `integration` (files named *.integration.test.ts) needs the backing services. */
export default {
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['**/*.test.ts'],
      testPathIgnorePatterns: [...ignored, '\\.integration\\.test\\.ts$'],
    },
    {
      ...shared,
      displayName: 'integration',
      testMatch: ['**/*.integration.test.ts'],
      testPathIgnorePatterns: ignored,
      globalSetup: './deploy/testing/global-setup.ts',
      globalTeardown: './deploy/testing/global-teardown.ts',
    },
  ],
  testTimeout: 60_000,
};
