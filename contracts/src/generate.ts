/** Writes src/generated/events.ts from avro/: `node src/generate.ts`, or `--check` to fail where it is out of date. */
import { readFileSync, writeFileSync } from 'node:fs';
import { loadSchemas, type AvroField, type AvroRecord, type AvroType } from './schemas.ts';

const output = new URL('./generated/events.ts', import.meta.url);

function typeScript(type: AvroType, found: Map<string, string>): string {
  if (Array.isArray(type)) return type.map((part) => typeScript(part, found)).join(' | ');
  if (typeof type === 'string') {
    if (found.has(type)) return type;
    return { string: 'string', boolean: 'boolean', null: 'null', int: 'number', long: 'number', double: 'number' }[type] ?? fail(type);
  }
  switch (type.type) {
    case 'array':
      return `readonly ${wrapped(typeScript(type.items, found))}[]`;
    case 'map':
      return `Readonly<Record<string, ${typeScript(type.values, found)}>>`;
    case 'record':
      return declare(type, found);
    case 'string':
      return type.values ? type.values.map((value) => `'${value}'`).join(' | ') : 'string';
    case 'int':
    case 'long':
      return 'number';
    default:
      return fail(JSON.stringify(type));
  }
}

const wrapped = (type: string): string => (type.includes(' ') ? `(${type})` : type);

function fail(type: string): never {
  throw new Error(`No TypeScript type for the Avro type ${type}: add it to contracts/src/generate.ts.`);
}

/** Declares an interface once; the same name with another shape is a mistake in the schemas. */
function declare(record: AvroRecord, found: Map<string, string>): string {
  const member = (field: AvroField) => `  /** ${field.doc} */\n  readonly ${field.name}: ${typeScript(field.type, found)};`;
  const body = `/** ${record.doc} */\nexport interface ${record.name} {\n${record.fields.map(member).join('\n')}\n}`;
  const known = found.get(record.name);
  if (known !== undefined && known !== body) throw new Error(`${record.name} has two shapes: give one of them another name.`);
  found.set(record.name, body);
  return record.name;
}

function generate(): string {
  const found = new Map<string, string>();
  const names = loadSchemas().map((schema) => declare(schema, found));
  return [
    '// Generated from contracts/avro by `npm run generate`: change the schemas, not this file.',
    ...found.values(),
    `/** Every event by its name. */\nexport interface Events {\n${names.map((name) => `  ${name}: ${name};`).join('\n')}\n}`,
    '',
  ].join('\n\n');
}

const wanted = generate();
if (process.argv.includes('--check')) {
  if (readFileSync(output, 'utf8') !== wanted) {
    console.error('contracts/src/generated/events.ts is out of date: run `npm run generate`.');
    process.exitCode = 1;
  }
} else writeFileSync(output, wanted);
