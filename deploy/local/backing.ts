import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { databaseAnswers, databaseTitles, isInstalled, isNative, localMongoUrl, openNativeDatabase } from './database.ts';
import { brokerAnswers, openNativeKafka } from './kafka.ts';
import { type Ports, portsInUse } from './ports.ts';
import { killLeftovers } from './processes.mjs';
import { openNativeRegistry, registryAnswers, registryPath } from './registry.ts';
import { type DatabaseKind, dockerAnswers } from './toolbox.mjs';
import { waitFor } from './wait.ts';

type ServerKind = 'url' | 'docker' | 'native';
type Choice = { kafka: ServerKind; registry: ServerKind; database: DatabaseKind };

export type BackingOptions = {
  /** State, logs and process records lie here. */
  directory: string;
  ports: Pick<Ports, 'kafka' | 'kafkaController' | 'registry' | 'database'>;
  /** KAFKA_BROKERS, SCHEMA_REGISTRY_URL, MONGO_URL name what is there already and is not started. */
  env?: NodeJS.ProcessEnv;
  /** Begins without what an earlier run left in the directory. */
  fresh?: boolean;
  /** The directory is removed at the end. */
  temporary?: boolean;
  /** Asks for one kind of database in place of the usual order of choice (MONGO_URL still goes first). */
  database?: DatabaseKind;
  signal?: AbortSignal;
};

export type Backing = AsyncDisposable & {
  /** Comma-separated host:port. */
  brokers: string;
  registryUrl: string;
  mongoUrl: string;
  /** What each is and where, for people. */
  titles: Readonly<Record<keyof Choice, string>>;
  databaseKind: DatabaseKind;
};

/**
 * Kafka, schema registry and database, each the one that the environment names, else in Docker where an engine answers, else native; all ready to
 * serve when this returns. What a killed run left in the directory is ended first. Disposing stops registry, database, Kafka, in this order.
 * @throws with a message that says what to do when a port is in use, one of them does not come up, or the directory was filled by another kind
 */
export async function openBacking({ env = {}, ...options }: BackingOptions): Promise<Backing> {
  const { directory, ports, signal } = options;
  await killLeftovers(directory, { graceSeconds: 10 });
  if (options.fresh) await removeState(directory);
  const choice = await choose(directory, env, options.database);
  const wanted = [
    ...(choice.kafka === 'native' ? (['kafka', 'kafkaController'] as const) : choice.kafka === 'docker' ? (['kafka'] as const) : []),
    ...(choice.registry === 'url' ? [] : (['registry'] as const)),
    ...(choice.database === 'url' ? [] : (['database'] as const)),
  ];
  const busy = await portsInUse(ports as Ports, wanted);
  if (busy.length > 0) throw new Error(busy.join('\n'));

  const urls = {
    brokers: choice.kafka === 'url' ? env.KAFKA_BROKERS! : `127.0.0.1:${ports.kafka}`,
    registryUrl: choice.registry === 'url' ? env.SCHEMA_REGISTRY_URL! : `http://127.0.0.1:${ports.registry}${registryPath}`,
    mongoUrl: choice.database === 'url' ? env.MONGO_URL! : localMongoUrl(ports.database),
  };
  await using starting = new AsyncDisposableStack();
  if (options.temporary) starting.defer(() => removeState(directory));
  // Each joins the stack as soon as it runs, in the order in which they are to be closed again, also when another fails.
  const kafka = openKafka(choice.kafka, urls.brokers, options);
  const database = openDatabase(choice.database, urls.mongoUrl, options);
  const registry = openRegistry(choice.registry, urls.registryUrl, options);
  const opened = await Promise.allSettled([kafka, database, registry]);
  for (const result of opened) if (result.status === 'fulfilled' && result.value) starting.use(result.value);
  signal?.throwIfAborted();
  for (const result of opened) if (result.status === 'rejected') throw result.reason;
  const running = starting.move();
  return {
    ...urls,
    databaseKind: choice.database,
    titles: {
      kafka: { url: 'Kafka that KAFKA_BROKERS names', docker: 'Apache Kafka in Docker', native: 'Apache Kafka 4.4.0' }[choice.kafka],
      registry: { url: 'the registry that SCHEMA_REGISTRY_URL names', docker: 'Apicurio in Docker', native: 'Apicurio 2.6.13' }[
        choice.registry
      ],
      database: databaseTitles[choice.database],
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Removes all state but the locks and records of what may run beside. */
async function removeState(directory: string): Promise<void> {
  if (readChoice(directory) && (await dockerAnswers())) await (await import('./docker.ts')).removeVolumes(directory);
  const kept = ['start.lock', 'setup', 'testing'];
  for (const name of existsSync(directory) ? readdirSync(directory) : []) {
    if (!kept.includes(name)) rmSync(join(directory, name), { recursive: true, force: true });
  }
}

const choicePath = (directory: string) => join(directory, 'data', 'backing.json');

function readChoice(directory: string): Choice | undefined {
  return existsSync(choicePath(directory)) ? (JSON.parse(readFileSync(choicePath(directory), 'utf8')) as Choice) : undefined;
}

/** The state of one kind is nothing to another: a directory keeps the kind that it was begun with, and another needs a fresh one. */
async function choose(directory: string, env: NodeJS.ProcessEnv, preferred: DatabaseKind | undefined): Promise<Choice> {
  const docker = env.KAFKA_BROKERS && env.SCHEMA_REGISTRY_URL && env.MONGO_URL ? false : await dockerAnswers();
  const server = docker ? 'docker' : 'native';
  const usual = docker ? 'docker' : (['mongod', 'secantus'] as const).find(isInstalled);
  const before = readChoice(directory);
  const now: Omit<Choice, 'database'> & { database: DatabaseKind | undefined } = {
    kafka: env.KAFKA_BROKERS ? 'url' : (before?.kafka ?? server),
    registry: env.SCHEMA_REGISTRY_URL ? 'url' : (before?.registry ?? server),
    database: env.MONGO_URL ? 'url' : (preferred ?? before?.database ?? usual),
  };
  if (!now.database) throw new Error('No database is installed: run "node deploy/local/setup.mjs", or set MONGO_URL.');
  const missing = now.database === 'url' ? !env.MONGO_URL : isNative(now.database) ? !isInstalled(now.database) : !docker;
  const changed = before && (Object.keys(before) as (keyof Choice)[]).some((key) => before[key] !== now[key]);
  if (missing || changed) {
    const was = before ? `Kafka: ${before.kafka}, registry: ${before.registry}, database: ${before.database}` : 'nothing';
    throw new Error(
      `The state in ${directory} was made with (${was}), and this run would use (Kafka: ${now.kafka}, registry: ${now.registry}, ` +
        `database: ${now.database}${missing ? ', which is not there' : ''}). Start as before, or begin anew with --fresh.`,
    );
  }
  const choice = { ...now, database: now.database };
  mkdirSync(join(directory, 'data'), { recursive: true });
  writeFileSync(choicePath(directory), JSON.stringify(choice));
  return choice;
}

async function openKafka(kind: ServerKind, brokers: string, options: BackingOptions): Promise<AsyncDisposable | undefined> {
  const { directory, ports, signal } = options;
  if (kind === 'native') return openNativeKafka({ directory, port: ports.kafka, controllerPort: ports.kafkaController, signal });
  const container = kind === 'docker' ? await (await import('./docker.ts')).openDockerKafka({ directory, port: ports.kafka }) : undefined;
  const [host = '', port = '9092'] = brokers.split(',')[0]!.trim().split(':');
  await until(container, `Kafka at ${brokers}`, () => brokerAnswers(host, Number(port)), signal);
  return container;
}

async function openRegistry(kind: ServerKind, url: string, options: BackingOptions): Promise<AsyncDisposable | undefined> {
  const { directory, ports, signal } = options;
  if (kind === 'native') return openNativeRegistry({ directory, port: ports.registry, signal });
  const container =
    kind === 'docker' ? await (await import('./docker.ts')).openDockerRegistry({ directory, port: ports.registry }) : undefined;
  await until(container, `The schema registry at ${url}`, () => registryAnswers(url), signal);
  return container;
}

async function openDatabase(kind: DatabaseKind, url: string, options: BackingOptions): Promise<AsyncDisposable | undefined> {
  const { directory, ports, signal } = options;
  if (isNative(kind)) return openNativeDatabase({ directory, port: ports.database, kind, signal });
  const container =
    kind === 'docker' ? await (await import('./docker.ts')).openDockerDatabase({ directory, port: ports.database }) : undefined;
  await until(container, kind === 'url' ? 'The database that MONGO_URL names' : 'The database', () => databaseAnswers(url), signal);
  return container;
}

/** Waits for what is not our own process; a container that does not come up is stopped again. */
async function until(container: AsyncDisposable | undefined, what: string, ask: () => Promise<boolean>, signal: AbortSignal | undefined) {
  try {
    await waitFor(what, ask, { seconds: container ? 90 : 15, signal });
  } catch (error) {
    await container?.[Symbol.asyncDispose]();
    throw error;
  }
}
