import { describeConnector } from '@evenkeel/connector-kit/testing';
import { openEtsyHarness } from './sandbox-harness.ts';

describeConnector('Etsy', await openEtsyHarness());
