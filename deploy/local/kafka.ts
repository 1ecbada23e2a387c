import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type Child, openChild, rank, runChild } from './child.ts';
import { javaCommand, jvm, root } from './toolbox.mjs';

export type KafkaOptions = { directory: string; port: number; controllerPort: number; signal?: AbortSignal | undefined };

const classPath = join(jvm.directory, 'kafka', '*');
const quick = ['-XX:+UseSerialGC', '-Djava.awt.headless=true'];

/** One broker, also its own controller (KRaft), ready to serve; its log lies in data/kafka. */
export async function openNativeKafka({ directory, port, controllerPort, signal }: KafkaOptions): Promise<Child> {
  const data = join(directory, 'data', 'kafka');
  mkdirSync(data, { recursive: true });
  const properties = join(data, 'server.properties');
  writeFileSync(properties, serverProperties({ log: join(data, 'log'), port, controllerPort }));
  await format(directory, data, properties, signal);
  const logging = `-Dlog4j2.configurationFile=${join(root, 'deploy', 'local', 'kafka', 'log4j2.xml')}`;
  const child = openChild({
    name: 'kafka',
    directory,
    command: javaCommand(),
    args: ['-Xms64m', '-Xmx384m', ...quick, logging, '-cp', classPath, 'kafka.Kafka', properties],
    rank: rank.backing,
    restart: true,
    stopSeconds: 30,
  });
  try {
    await child.waitFor('Kafka', () => brokerAnswers('127.0.0.1', port), { seconds: 120, signal });
    return child;
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
}

/** Prepares the log directory, once. The mark is written last, so that an interrupted formatting is done again. */
async function format(directory: string, data: string, properties: string, signal: AbortSignal | undefined): Promise<void> {
  const mark = join(data, 'formatted');
  if (existsSync(mark)) return;
  const idPath = join(data, 'cluster-id');
  if (!existsSync(idPath)) writeFileSync(idPath, randomBytes(16).toString('base64url'));
  const clusterId = readFileSync(idPath, 'utf8');
  const tool = ['kafka.tools.StorageTool', 'format', '--config', properties, `--cluster-id=${clusterId}`, '--ignore-formatted'];
  const args = ['-Xmx128m', ...quick, '-XX:TieredStopAtLevel=1', '-Dlog4j2.level=ERROR', '-cp', classPath, ...tool];
  await runChild({ name: 'kafka-format', directory, command: javaCommand(), args, rank: rank.backing }, signal);
  writeFileSync(mark, '');
}

/** An ApiVersions request, version 0, is answered: the broker serves, not only listens. */
export function brokerAnswers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(1000, () => finish(false));
    socket.once('error', () => finish(false));
    socket.once('close', () => finish(false));
    socket.once('connect', () => socket.write(Buffer.from('0000000a0012000000000001ffff', 'hex')));
    socket.once('data', () => finish(true));
  });
}

function serverProperties({ log, port, controllerPort }: { log: string; port: number; controllerPort: number }): string {
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'log.dirs': log,
    ...singleBroker,
  };
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

/** What one broker alone needs; also given to the broker in a container. */
export const singleBroker = {
  'auto.create.topics.enable': false,
  'offsets.topic.replication.factor': 1,
  'offsets.topic.num.partitions': 8,
  'transaction.state.log.replication.factor': 1,
  'transaction.state.log.min.isr': 1,
  'transaction.state.log.num.partitions': 4,
  'share.coordinator.state.topic.replication.factor': 1,
  'share.coordinator.state.topic.min.isr': 1,
  'share.coordinator.state.topic.num.partitions': 4,
  'group.initial.rebalance.delay.ms': 0,
  'group.min.session.timeout.ms': 1000, // tests of owners that lost their partitions want short sessions
  'log.cleaner.dedupe.buffer.size': 16_777_216,
  'log.segment.bytes': 67_108_864,
  'broker.session.timeout.ms': 2500, // with the next: up in 8 s instead of 17 s after a kill
  'broker.heartbeat.interval.ms': 500,
} as const;
