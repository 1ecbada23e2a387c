import { globSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
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

const root = fileURLToPath(new URL('..', import.meta.url));

function readAll(folder: string): AvroRecord[] {
  const paths = globSync('*/*.avsc', { cwd: folder }).toSorted();
  return paths.map((path) => JSON.parse(readFileSync(join(folder, path), 'utf8')) as AvroRecord);
}

/** All event schemas of avro/, by path: owner, then event. */
export const loadSchemas = (): AvroRecord[] => readAll(join(root, 'avro'));

/** The schemas of every released version, oldest first: `released/<version>/`, a copy of avro/ made at the release. */
export function loadReleased(): { readonly version: string; readonly schemas: readonly AvroRecord[] }[] {
  const versions = readdirSync(join(root, 'released')).toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return versions.map((version) => ({ version, schemas: readAll(join(root, 'released', version)) }));
}

/** The registry subject of an event: its full record name, so that one topic carries several events. */
export const subjectOf = (schema: AvroRecord): string => `${schema.namespace}.${schema.name}`;
