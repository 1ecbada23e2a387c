export type * from './generated/events.ts';
export { openCodec, UnreadableMessage, type Codec } from './codec.ts';
export { deployContracts, topicDifferences } from './deploy.ts';
export { loadSchemas, subjectOf } from './schemas.ts';
export {
  allTopics,
  deadLetterTopicOf,
  deadLetterTopics,
  groups,
  heldKey,
  isMarketplace,
  keyOf,
  marketplaces,
  partsOf,
  pushRequestsOf,
  topics,
  topicsOf,
  type EventName,
  type Group,
  type MarketplaceName,
  type Topic,
} from './topics.ts';
