/** A JSON Schema as far as our OpenAPI documents use it. */
interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly description?: string;
}
interface Content {
  readonly content?: Readonly<Record<string, { readonly schema?: JsonSchema }>>;
}
interface Operation {
  readonly summary?: string;
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly required?: boolean; readonly schema: JsonSchema }[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content>>;
}
/** An OpenAPI document as the chassis makes it. */
export interface OpenApi {
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, JsonSchema>> };
}

/** `sync-policy` → `SyncPolicy` */
const titleOf = (service: string): string => service.replaceAll(/(^|-)([a-z])/g, (_, _dash, letter: string) => letter.toUpperCase());
const interfaceOf = (service: string): string => `${titleOf(service)}Http`;

/** What may be sent is written as a caller would: a field that may be absent may also be undefined. */
type Direction = 'sent' | 'answered';

const union = (parts: readonly string[]): string => [...new Set(parts)].join(' | ');
const inArray = (type: string): string => (type.includes(' | ') ? `(${type})` : type);
const comment = (text: string | undefined, indent: string): string =>
  text === undefined ? '' : `${indent}/** ${text.replaceAll('*/', '*\u200b/').replaceAll(/\s+/g, ' ')} */\n`;

function typeScript(schema: JsonSchema, direction: Direction, indent: string): string {
  if (schema.$ref) return schema.$ref.split('/').at(-1) ?? fail(schema);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return union(schema.enum.map((value) => JSON.stringify(value)));
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives) return union(alternatives.map((one) => typeScript(one, direction, indent)));
  if (schema.allOf) return schema.allOf.map((one) => inArray(typeScript(one, direction, indent))).join(' & ');
  if (Array.isArray(schema.type)) return union(schema.type.map((type: string) => typeScript({ ...schema, type }, direction, indent)));
  switch (schema.type) {
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type;
    case 'integer':
    case 'number':
      return 'number';
    case 'array':
      return `readonly ${inArray(typeScript(schema.items ?? {}, direction, indent))}[]`;
    case 'object':
      return objectType(schema, direction, indent);
    case undefined:
      return 'unknown';
    default:
      return fail(schema);
  }
}

function fail(schema: JsonSchema): never {
  throw new Error(`No TypeScript type for ${JSON.stringify(schema)}: add it to deploy/api/client-types.ts.`);
}

function objectType({ properties = {}, required = [], additionalProperties }: JsonSchema, direction: Direction, indent: string): string {
  const inner = `${indent}  `;
  const members = Object.entries(properties).map(([name, schema]) => {
    const key = /^[a-z_$][\w$]*$/i.test(name) ? name : JSON.stringify(name);
    const type = typeScript(schema, direction, inner);
    const member = required.includes(name) ? `${key}: ${type}` : `${key}?: ${type}${direction === 'sent' ? ' | undefined' : ''}`;
    return `${comment(schema.description, inner)}${inner}readonly ${member};`;
  });
  if (members.length > 0) return `{\n${members.join('\n')}\n${indent}}`;
  if (typeof additionalProperties !== 'object') return additionalProperties === false ? 'Record<string, never>' : 'Record<string, unknown>';
  return `Readonly<Record<string, ${typeScript(additionalProperties, direction, indent)}>>`;
}

function parametersType({ parameters = [] }: Operation, where: string, indent: string): string {
  const found = parameters.filter((parameter) => parameter.in === where);
  if (found.length === 0) return 'undefined';
  const properties = Object.fromEntries(found.map(({ name, schema }) => [name, schema]));
  return objectType({ properties, required: found.filter(({ required }) => required).map(({ name }) => name) }, 'sent', indent);
}

/** Of whichever type the content is: what is not JSON is text. */
const schemaIn = (content: Content['content']): JsonSchema | undefined => Object.values(content ?? {})[0]?.schema;

/** Answers from 400 up are problems, and thrown. */
function answersType({ responses }: Operation, indent: string): string {
  const answers = Object.entries(responses).filter(([status]) => Number(status) < 400);
  const lines = answers.map(([status, { content }]) => {
    const schema = schemaIn(content);
    return `${indent}  readonly ${status}: ${schema ? typeScript(schema, 'answered', `${indent}  `) : 'undefined'};`;
  });
  return `{\n${lines.join('\n')}\n${indent}}`;
}

function operationMember(method: string, path: string, operation: Operation): string {
  const body = schemaIn(operation.requestBody?.content);
  return [
    `${comment(operation.summary, '  ')}  readonly '${method.toUpperCase()} ${path}': {`,
    `    readonly path: ${parametersType(operation, 'path', '    ')};`,
    `    readonly query: ${parametersType(operation, 'query', '    ')};`,
    `    readonly body: ${body ? typeScript(body, 'sent', '    ') : 'undefined'};`,
    `    readonly answers: ${answersType(operation, '    ')};`,
    '  };',
  ].join('\n');
}

const namesType = (name: string) => (text: string) => new RegExp(`\\b${name}\\b(?!\\??:)`).test(text);

/** A TypeScript interface with a member for each operation of the document, and a type for each shape that it names, for the client of `@evenkeel/contracts/client`. */
export function clientTypesOf(service: string, { paths = {}, components }: OpenApi): string {
  const members = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => operationMember(method, path, operation)),
  );
  const body = `export interface ${interfaceOf(service)} {\n${members.join('\n')}\n}\n`;
  const shapes = Object.entries(components?.schemas ?? {}).map(([name, schema]) => ({
    name,
    text: `export type ${name} = ${typeScript(schema, 'answered', '')};\n`,
  }));
  // What only problems name is not among the answers.
  const isNamed = (name: string) => [body, ...shapes.filter((shape) => shape.name !== name).map(({ text }) => text)].some(namesType(name));
  const shared = shapes.filter(({ name }) => isNamed(name)).map(({ text }) => text);
  return [`// Generated from the routes of ${service} by \`npm run generate\`: change those, not this file.\n`, ...shared, body].join('\n');
}

/** One interface that names those of all services, and their shapes. */
export function clientIndexOf(services: readonly string[]): string {
  const imports = services.map((service) => `import type { ${interfaceOf(service)} } from './http/${service}.ts';`);
  const members = services.map((service) => `  readonly '${service}': ${interfaceOf(service)};`);
  return [
    '// Generated from the routes of all services by `npm run generate`: change those, not this file.',
    ...imports,
    '',
    '/** The shapes of each service, by the names that its OpenAPI document gives them: `Stock.Movement`. */',
    ...services.map((service) => `export type * as ${titleOf(service)} from './http/${service}.ts';`),
    '',
    '/** What each service serves. */',
    `export interface HttpServices {\n${members.join('\n')}\n}\n`,
  ].join('\n');
}
