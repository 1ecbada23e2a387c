import { readFileSync } from 'node:fs';
import { buildSchema, GraphQLScalarType, validateSchema } from 'graphql';

/** Our own description of the simulated part of the Admin API. Fail closed: a DateTime that is none ends the answer with a 500. */
export function loadSchema() {
  const schema = buildSchema(readFileSync(new URL('./schema.graphql', import.meta.url), 'utf8'));
  const [error] = validateSchema(schema);
  if (error !== undefined) throw error;
  const dateTime = schema.getType('DateTime');
  if (!(dateTime instanceof GraphQLScalarType)) throw new Error('schema.graphql has no scalar DateTime');
  dateTime.coerceOutputValue = (value) => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new TypeError(`${String(value)} is no time in milliseconds`);
    return new Date(value).toISOString();
  };
  return schema;
}
