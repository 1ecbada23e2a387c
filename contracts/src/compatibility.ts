import avro from 'avsc';
import type { AvroRecord } from './schemas.ts';

const typeOf = (schema: AvroRecord) => avro.Type.forSchema(structuredClone(schema) as never);

function reads(reader: AvroRecord, writer: AvroRecord): string | null {
  try {
    typeOf(reader).createResolver(typeOf(writer));
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/**
 * Why a schema may not follow the released ones, in the words of Avro's resolution: it must read each of them, and each of them must read it
 * (FULL_TRANSITIVE). Needs no registry. An empty list: it may.
 */
export function incompatibilities(next: AvroRecord, released: readonly AvroRecord[]): string[] {
  return released.flatMap((earlier, index) => {
    const forward = reads(next, earlier);
    const backward = reads(earlier, next);
    return [
      ...(forward === null ? [] : [`${next.name} cannot read version ${index + 1}: ${forward}`]),
      ...(backward === null ? [] : [`version ${index + 1} of ${next.name} cannot read it: ${backward}`]),
    ];
  });
}
