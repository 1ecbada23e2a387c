import {
  isInputObjectType,
  isInputType,
  isLeafType,
  isListType,
  isNonNullType,
  print,
  typeFromAST,
  type GraphQLInputType,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import { ApiError } from './errors.ts';

interface Problem {
  path: (string | number)[];
  explanation: string;
}

/** What is wrong with the variables of a request, one error per variable, as the real API words it. */
export function variableErrors(schema: GraphQLSchema, operation: OperationDefinitionNode, given: Record<string, unknown>): ApiError[] {
  return (operation.variableDefinitions ?? []).flatMap((definition) => {
    const name = definition.variable.name.value;
    const type = typeFromAST(schema, definition.type);
    const value = given[name];
    if (!isInputType(type) || (value === undefined && definition.defaultValue !== undefined)) return [];
    const problems = problemsOf(value, type, []);
    if (problems.length === 0) return [];
    const named = problems.map(({ path, explanation }) => (path.length === 0 ? '' : ` for ${path.join('.')} (${explanation})`));
    const message = `Variable $${name} of type ${print(definition.type)} was provided invalid value${named.join(',')}`;
    return [new ApiError(message, 'INVALID_VARIABLE', { nodes: definition, extensions: { value: value ?? null, problems } })];
  });
}

/** Everything that keeps `value` from being a `type`. */
function problemsOf(value: unknown, type: GraphQLInputType, path: (string | number)[]): Problem[] {
  if (isNonNullType(type)) {
    return value === null || value === undefined
      ? [{ path, explanation: 'Expected value to not be null' }]
      : problemsOf(value, type.ofType, path);
  }
  if (value === null || value === undefined) return [];
  if (isListType(type)) {
    return (Array.isArray(value) ? value : [value]).flatMap((element, index) => problemsOf(element, type.ofType, [...path, index]));
  }
  if (isInputObjectType(type)) {
    if (typeof value !== 'object' || Array.isArray(value)) return [cannotCoerce(value, type.name, path)];
    const fields = type.getFields();
    const given = value as Record<string, unknown>;
    const unknown = Object.keys(given)
      .filter((name) => !Object.hasOwn(fields, name))
      .map((name) => ({ path: [...path, name], explanation: `Field is not defined on ${type.name}` }));
    return [...unknown, ...Object.values(fields).flatMap((field) => problemsOf(given[field.name], field.type, [...path, field.name]))];
  }
  return isLeafType(type) && !coerces(() => type.coerceInputValue(value)) ? [cannotCoerce(value, type.name, path)] : [];
}

const cannotCoerce = (value: unknown, type: string, path: (string | number)[]): Problem => {
  return { path, explanation: `Could not coerce value ${JSON.stringify(value)} to ${type}` };
};

function coerces(coerce: () => unknown): boolean {
  try {
    return coerce() !== undefined;
  } catch {
    return false;
  }
}
