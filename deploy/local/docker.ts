// Backing services in containers, where a Docker engine answers. Written against the images' documentation; the machines that this was
// developed on have no engine, so nothing in this file has been run yet.
import { createHash } from 'node:crypto';
import { GenericContainer, type StartedTestContainer } from 'testcontainers';
import { singleBroker } from './kafka.ts';
import { ask } from './toolbox.mjs';

/** The same versions as in docker-compose.yml. */
const images = { kafka: 'apache/kafka:4.4.0', registry: 'apicurio/apicurio-registry-mem:2.6.13.Final', database: 'mongo:8.0.12' } as const;
type Backing = keyof typeof images;

/** The state lies in a volume named after the state directory, since an image's user may not write into ours. */
const volume = (directory: string, name: Backing) =>
  `evenkeel-${createHash('sha256').update(directory).digest('hex').slice(0, 12)}-${name}`;

export async function removeVolumes(directory: string): Promise<void> {
  const names = (Object.keys(images) as Backing[]).map((name) => volume(directory, name));
  await ask('docker', ['volume', 'rm', '--force', ...names], 30);
}

type Options = { directory: string; port: number };

function disposable(container: StartedTestContainer): AsyncDisposable {
  return { [Symbol.asyncDispose]: async () => void (await container.stop({ timeout: 30_000 })) };
}

export async function openDockerKafka({ directory, port }: Options): Promise<AsyncDisposable> {
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': '1@localhost:9093',
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    listeners: 'PLAINTEXT://:9092,CONTROLLER://:9093',
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'log.dirs': '/var/lib/kafka/data',
    ...singleBroker,
  };
  const environment = Object.entries(settings).map(([key, value]) => [`KAFKA_${key.replaceAll('.', '_').toUpperCase()}`, String(value)]);
  return disposable(
    await new GenericContainer(images.kafka)
      .withEnvironment(Object.fromEntries(environment))
      .withExposedPorts({ container: 9092, host: port })
      .withBindMounts([{ source: volume(directory, 'kafka'), target: '/var/lib/kafka/data', mode: 'rw' }])
      .start(),
  );
}

export async function openDockerRegistry({ directory, port }: Options): Promise<AsyncDisposable> {
  return disposable(
    await new GenericContainer(images.registry)
      .withUser('root') // the volume is root's
      .withEnvironment({ QUARKUS_DATASOURCE_JDBC_URL: 'jdbc:h2:file:/data/registry' })
      .withExposedPorts({ container: 8080, host: port })
      .withBindMounts([{ source: volume(directory, 'registry'), target: '/data', mode: 'rw' }])
      .start(),
  );
}

export async function openDockerDatabase({ directory, port }: Options): Promise<AsyncDisposable> {
  return disposable(
    await new GenericContainer(images.database)
      .withExposedPorts({ container: 27017, host: port })
      .withBindMounts([{ source: volume(directory, 'database'), target: '/data/db', mode: 'rw' }])
      .start(),
  );
}
