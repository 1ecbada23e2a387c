export { absent, type ServiceApi } from './service-api.ts';
export type { Event, EventOf, Outgoing } from './events.ts';
export type { Aggregate, EntryEnvelope, JournalEntry } from './journal/aggregate.ts';
export { askJournal, askJournalAll } from './journal/ask.ts';
export {
  incidentAfter,
  withIncidents,
  type Incident,
  type IncidentDetails,
  type IncidentRules,
  type IncidentSubject,
  type WithIncidents,
} from './incidents/rule.ts';
export { incidentRoutes, type Explanation } from './incidents/routes.ts';
export {
  createIncidentReporter,
  incidentsIn,
  openIncidentStore,
  showOpenIncidents,
  type IncidentDocument,
  type IncidentReport,
  type IncidentStore,
} from './incidents/store.ts';
export type { JournalDocument, Snapshot } from './journal/documents.ts';
export { entriesBefore, entriesWhere } from './journal/entries-where.ts';
export { openJournal, type ControlledLane, type Journal, type JournalOptions, type Projected, type Step } from './journal/journal.ts';
export { chunks } from './journal/load.ts';
export type { JournalReader, Page } from './journal/reader.ts';
export { Abandoned, Unavailable } from './kafka/failures.ts';
export { openKafka, type KafkaHandle } from './kafka/kafka.ts';
export { openLanes, sliceLimits, type Lanes, type LanesOptions, type Slice } from './kafka/lanes.ts';
export { openSender, type Sender, type SendOptions } from './kafka/sender.ts';
export { partitionOf } from './kafka/wire.ts';
export { openMongo, putNewer, type MongoHandle } from './mongo.ts';
export { openProjection, type ProjectedDocument, type Projection, type ProjectionOptions } from './projection.ts';
export {
  commonConfig,
  ConfigError,
  keys,
  list,
  milliseconds,
  port,
  readConfig,
  seconds,
  url,
  type Config,
  type LogLevel,
} from './config.ts';
export { allHealthy, type Health, type Verdict } from './health.ts';
export { createMemoryIdempotencyStore, openIdempotencyStore, type IdempotencyStore } from './http/idempotency.ts';
export { createIdentity, type Identify, type Identity } from './http/identity.ts';
export { createOpenApi } from './http/openapi.ts';
export { Problem, problem, type ProblemDescription } from './http/problem.ts';
export {
  booleanText,
  defineRoute,
  defineSignedRoute,
  integerText,
  keyText,
  reply,
  text,
  type Idempotency,
  type Reply,
  type Route,
  type RouteRequest,
  type SignedRequest,
} from './http/routes.ts';
export { openHttp, type Http, type HttpOptions } from './http/server.ts';
export { correlationsOf, createLogger, type Logger } from './log.ts';
export { createMetrics, latencyBucketsSeconds, type Metrics } from './metrics.ts';
export { runService, untilSignal } from './run.ts';
export { createSealer, parseKeyRing, SealError, Secret, type KeyRing, type Sealed, type Sealer } from './secrets.ts';
export { openService, type Service, type ServiceOptions } from './service.ts';
