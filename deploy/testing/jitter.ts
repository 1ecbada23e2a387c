import { createRequire } from 'node:module';
import { setTimeout as pass } from 'node:timers/promises';

/*
 * With TEST_JITTER set, whatever a test file sends to the database or the broker in its own process waits now and then before it leaves and
 * after it is answered: most do not, some for up to 25 ms, a few for up to 250 ms, times TEST_JITTER. Steps that usually take no time meet in
 * other orders then; a test, or a service, that rests on how fast a step is fails.
 */
const factor = Number(process.env['TEST_JITTER']);
if (!(factor > 0))
  throw new Error('TEST_JITTER must be a number above 0: by how much the waits are longer than their usual 25 and 250 ms.');

async function jitter(): Promise<void> {
  const draw = Math.random();
  if (draw > 0.7) await pass(Math.random() * (draw > 0.93 ? 250 : 25) * factor);
}

type Method = (this: unknown, ...parameters: unknown[]) => Promise<unknown>;

function slow(prototype: Record<string, Method>, name: string): void {
  const method = prototype[name];
  if (!method) throw new Error(`There is no ${name} to be slowed: another version of its library has another shape.`);
  prototype[name] = async function (...parameters) {
    await jitter();
    const result = await method.apply(this, parameters);
    await jitter();
    return result;
  };
}

interface Slowed {
  readonly prototype: Record<string, Method>;
}
const load = createRequire(import.meta.url);
const { Connection: MongoConnection } = load('mongodb/lib/cmap/connection.js') as { Connection: Slowed };
const KafkaConnection = load('kafkajs/src/network/connection.js') as Slowed;
slow(MongoConnection.prototype, 'command');
slow(KafkaConnection.prototype, 'send');
