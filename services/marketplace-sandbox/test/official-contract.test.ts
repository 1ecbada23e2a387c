import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import {
  buildSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  Kind,
  parse,
  print,
  validate,
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLNamedType,
  type GraphQLSchema,
} from 'graphql';
import { loadSchema } from '../src/shopify/schema.ts';

// The marketplace's own description is not part of this project: where it lies beside the repository, ours is held against it.
const folder = new URL('../../../../shared/contracts/shopify/', import.meta.url);
const present = existsSync(folder);
const read = (name: string) => readFileSync(new URL(name, folder), 'utf8');
const withContract = present ? test : test.skip;
const why = present ? '' : ' (SKIPPED: ../shared/contracts/shopify is not here)';

/** What the connector sends: the others of the official operations are not simulated yet. */
const simulated = ['PushAvailable', 'ReadBack', 'FindBySku', 'OrdersSince', 'Probe'];

const describeInput = ({ name, type, default: byDefault }: GraphQLArgument | GraphQLInputField) =>
  `${name}: ${String(type)} = ${byDefault?.literal ? print(byDefault.literal) : 'none'}`;

/** One line for each thing that a caller could rest on. */
function promises(type: GraphQLNamedType): string[] {
  const head = `${type.name} is ${type.constructor.name}`;
  if (isEnumType(type)) return [head, ...type.getValues().map(({ name }) => `${type.name} has ${name}`)];
  if (isInputObjectType(type))
    return [head, ...Object.values(type.getFields()).map((field) => `${type.name} takes ${describeInput(field)}`)];
  if (!isObjectType(type) && !isInterfaceType(type)) return [head];
  return [
    head,
    ...type.getInterfaces().map(({ name }) => `${type.name} implements ${name}`),
    ...Object.values(type.getFields()).flatMap((field) => [
      `${type.name}.${field.name}: ${String(field.type)}`,
      ...field.args.map((argument) => `${type.name}.${field.name} takes ${describeInput(argument)}`),
    ]),
  ];
}

/** What the real API demands of a caller: had we left it out, calls would pass here that fail there. */
function demands(type: GraphQLNamedType): string[] {
  const required = (input: GraphQLArgument | GraphQLInputField) => String(input.type).endsWith('!') && input.default === undefined;
  if (isInputObjectType(type)) {
    return Object.values(type.getFields()).filter(required).map((field) => `${type.name} takes ${describeInput(field)}`); // prettier-ignore
  }
  if (!isObjectType(type)) return [];
  return Object.values(type.getFields()).flatMap((field) =>
    field.args.filter(required).map((argument) => `${type.name}.${field.name} takes ${describeInput(argument)}`),
  );
}

const own = (schema: GraphQLSchema) => Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith('__'));

describe(`our description of the Admin API${why}`, () => {
  withContract('promises nothing that the official one does not', () => {
    const official = new Set(own(buildSchema(read('admin_2026-10.inventory-subset.graphql'))).flatMap(promises));
    const ours = own(loadSchema()).flatMap(promises);
    expect(ours.length).toBeGreaterThan(100);
    expect(ours.filter((promise) => !official.has(promise))).toEqual([]);
  });

  withContract('leaves out nothing that the official one demands of a caller', () => {
    const schema = loadSchema();
    const ours = new Set(own(schema).flatMap(promises));
    const fields = new Set([...ours].flatMap((promise) => /^\w+\.\w+(?=:)/.exec(promise) ?? []));
    const official = own(buildSchema(read('admin_2026-10.inventory-subset.graphql'))).filter(({ name }) => schema.getType(name));
    const demanded = official.flatMap(demands).filter((demand) => {
      const field = /^\w+\.\w+(?= takes)/.exec(demand)?.[0];
      return field === undefined || fields.has(field);
    });
    expect(demanded.length).toBeGreaterThan(5);
    expect(demanded.filter((demand) => !ours.has(demand))).toEqual([]);
  });

  withContract('says the same of @idempotent', () => {
    const official = buildSchema(read('admin_2026-10.inventory-subset.graphql')).getDirective('idempotent');
    const ours = loadSchema().getDirective('idempotent');
    expect(ours?.args.map(describeInput)).toEqual(official?.args.map(describeInput));
    expect(ours?.locations).toEqual(official?.locations);
  });

  withContract.each(simulated)('takes the operation %s as it stands', (name) => {
    const { definitions } = parse(read('operations.graphql'));
    const operation = definitions.filter((each) => each.kind === Kind.OPERATION_DEFINITION && each.name?.value === name);
    expect(operation).toHaveLength(1);
    expect(validate(loadSchema(), { kind: Kind.DOCUMENT, definitions: operation })).toEqual([]);
  });
});
