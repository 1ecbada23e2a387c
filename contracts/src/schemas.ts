import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface AvroField {
  readonly name: string;
  readonly doc: string;
  readonly type: AvroType;
  readonly default?: unknown;
}
export interface AvroRecord {
  readonly type: 'record';
  readonly name: string;
  readonly namespace?: string;
  readonly doc: string;
  readonly fields: readonly AvroField[];
}
/** `values` is ours: the strings that are known today. An Avro enum could never gain one under FULL_TRANSITIVE. */
interface AvroString {
  readonly type: 'string';
  readonly values?: readonly string[];
}
export type AvroType =
  | string
  | AvroType[]
  | AvroRecord
  | AvroString
  | { readonly type: 'int' | 'long'; readonly logicalType?: string }
  | { readonly type: 'array'; readonly items: AvroType }
  | { readonly type: 'map'; readonly values: AvroType };

const folder = fileURLToPath(new URL('../avro/', import.meta.url));

/** All event schemas of avro/, by path: owner, then event. */
export function loadSchemas(): AvroRecord[] {
  const paths = globSync('*/*.avsc', { cwd: folder }).toSorted();
  return paths.map((path) => JSON.parse(readFileSync(folder + path, 'utf8')) as AvroRecord);
}

/** The registry subject of an event: its full record name, so that one topic carries several events. */
export const subjectOf = (schema: AvroRecord): string => `${schema.namespace}.${schema.name}`;
