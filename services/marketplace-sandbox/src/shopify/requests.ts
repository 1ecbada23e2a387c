import {
  getDirectiveValues,
  getOperationAST,
  getVariableValues,
  GraphQLError,
  Kind,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  validate,
  type DocumentNode,
  type GraphQLSchema,
} from 'graphql';
import type { CostedOperation } from './cost.ts';
import { ApiError } from './errors.ts';
import { variableErrors } from './variables.ts';

export interface RequestBody {
  query: string;
  variables?: Record<string, unknown> | null | undefined;
  operationName?: string | null | undefined;
}

/** A request that passed validation. */
export interface ReadyRequest extends CostedOperation {
  document: DocumentNode;
  /** As given, before coercion. */
  given: Record<string, unknown>;
  idempotencyKeys: string[];
}

const rememberedDocuments = 200;

/** Checks requests against the schema. A connector sends few different documents: each is parsed and validated once. */
export function createRequestReader(schema: GraphQLSchema) {
  const documents = new Map<string, DocumentNode | readonly GraphQLError[]>();
  const rules = [...specifiedRules, NoSchemaIntrospectionCustomRule];

  const documentOf = (query: string): DocumentNode | readonly GraphQLError[] => {
    const known = documents.get(query) ?? readDocument(query);
    if (documents.size >= rememberedDocuments) documents.clear();
    documents.set(query, known);
    return known;
  };
  const readDocument = (query: string): DocumentNode | readonly GraphQLError[] => {
    try {
      const document = parse(query, { maxTokens: 10_000 });
      const errors = validate(schema, document, rules);
      return errors.length === 0 ? document : errors;
    } catch (error) {
      if (error instanceof GraphQLError) return [error];
      throw error;
    }
  };

  return (body: RequestBody): ReadyRequest | { errors: readonly GraphQLError[] } => {
    const document = documentOf(body.query);
    if (Array.isArray(document)) return { errors: document };
    const known = document as DocumentNode;
    const operation = getOperationAST(known, body.operationName);
    if (!operation) return { errors: [new ApiError('An operation name is required', 'BAD_REQUEST')] };

    const given = body.variables ?? {};
    const errors = variableErrors(schema, operation, given);
    if (errors.length > 0) return { errors };
    const coerced = getVariableValues(schema, operation.variableDefinitions ?? [], given);
    if (coerced.errors) return { errors: coerced.errors };

    const directive = schema.getDirective('idempotent');
    const keys = operation.selectionSet.selections.flatMap((selection): string[] => {
      const key = directive && getDirectiveValues(directive, selection, coerced.variableValues)?.['key'];
      return typeof key === 'string' ? [key] : [];
    });
    const fragments = known.definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION);
    return {
      schema,
      document: known,
      operation,
      fragments: new Map(fragments.map((fragment) => [fragment.name.value, fragment])),
      given,
      variables: coerced.variableValues.coerced,
      idempotencyKeys: keys,
    };
  };
}
