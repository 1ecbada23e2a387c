import { describeConnector } from '@evenkeel/connector-kit/testing';
import { openShopifyHarness } from './sandbox-harness.ts';

describeConnector('Shopify', await openShopifyHarness());
