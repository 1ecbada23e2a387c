import { COMPATIBILITY, SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import avro from 'avsc';
import type { Events } from './generated/events.ts';
import { loadSchemas, subjectOf, type AvroRecord } from './schemas.ts';
import type { EventName } from './topics.ts';

/** Avro with the registry's five-byte prefix, for the events of this version of the contracts. */
export interface Codec {
  /** Throws a TypeError that names the field where the data does not fit its schema. */
  encode<Name extends EventName>(name: Name, data: Events[Name]): Buffer;
  /** Reads any registered version. Throws {@link UnreadableMessage} for bytes that no retry will mend, anything else when the registry is sick. */
  decode<Name extends EventName>(name: Name, bytes: Buffer): Promise<Events[Name]>;
}

/** The bytes are not what the contract says; reading them again will not help. */
export class UnreadableMessage extends Error {}

const prefixBytes = 5;

const isMissing = (error: unknown): boolean => typeof error === 'object' && error !== null && 'status' in error && error.status === 404;

/** Registers every schema under its record name, FULL_TRANSITIVE. Run at deployment, never by a service. Throws where a change is incompatible. */
export async function registerSchemas(registryUrl: string): Promise<void> {
  const registry = new SchemaRegistry({ host: registryUrl });
  for (const schema of loadSchemas()) {
    const subject = subjectOf(schema);
    try {
      await registry.register(schema as never, { subject, compatibility: COMPATIBILITY.FULL_TRANSITIVE });
    } catch (error) {
      throw new Error(`The registry refused ${subject}: a new version must read and be read by every earlier one. ${String(error)}`, {
        cause: error,
      });
    }
  }
}

async function lookUp(registry: SchemaRegistry, schema: AvroRecord): Promise<number> {
  const subject = subjectOf(schema);
  try {
    return await registry.getRegistryIdBySchema(subject, schema as never);
  } catch (cause) {
    const missing = isMissing(cause) || (cause instanceof Error && isMissing(cause.cause)) || String(cause).includes('not found');
    if (missing) throw new Error(`${subject} is not registered as this version writes it: run the deployment step first.`, { cause });
    throw new Error(`The schema registry did not say the id of ${subject}: is SCHEMA_REGISTRY_URL right, and the registry up?`, { cause });
  }
}

/** Looks up the id of every event's schema. Throws where one is not registered. */
export async function openCodec(registryUrl: string): Promise<Codec> {
  const registry = new SchemaRegistry({ host: registryUrl });
  const known = new Map(
    await Promise.all(
      loadSchemas().map(async (schema) => {
        const prefix = Buffer.alloc(prefixBytes);
        prefix.writeInt32BE(await lookUp(registry, schema), 1);
        return [schema.name, { prefix, type: avro.Type.forSchema(schema as never) }] as const;
      }),
    ),
  );
  const of = (name: string) => known.get(name) ?? unreadable(`There is no event ${name} in the contracts.`);
  const resolvers = new Map<string, unknown>();

  async function writerOf(id: number): Promise<avro.Type> {
    try {
      return (await registry.getSchema(id)) as unknown as avro.Type;
    } catch (error) {
      if (isMissing(error)) unreadable(`The registry knows no schema ${id}.`, error);
      throw error;
    }
  }

  async function resolverOf(name: string, id: number) {
    const writer = await writerOf(id);
    try {
      return of(name).type.createResolver(writer);
    } catch (error) {
      return unreadable(`Schema ${id} cannot be read as ${name}.`, error);
    }
  }

  return {
    encode(name, data) {
      const { prefix, type } = of(name);
      return Buffer.concat([prefix, type.toBuffer(data)]);
    },
    async decode(name, bytes) {
      if (bytes.length < prefixBytes || bytes[0] !== 0) unreadable('The message does not begin with a schema id.');
      const id = bytes.readInt32BE(1);
      const cached = `${name}/${id}`;
      const resolver = resolvers.get(cached) ?? (await resolverOf(name, id));
      resolvers.set(cached, resolver);
      try {
        return of(name).type.fromBuffer(bytes.subarray(prefixBytes), resolver as never) as never;
      } catch (error) {
        return unreadable(`The message is not a ${name} as its schema ${id} says.`, error);
      }
    },
  };
}

function unreadable(message: string, cause?: unknown): never {
  throw new UnreadableMessage(message, { cause });
}
