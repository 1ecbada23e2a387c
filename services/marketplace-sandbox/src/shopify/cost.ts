import {
  getNamedType,
  isCompositeType,
  isLeafType,
  Kind,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

export interface CostedOperation {
  schema: GraphQLSchema;
  operation: OperationDefinitionNode;
  fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** Coerced values of the operation's variables. */
  variables: Readonly<Record<string, unknown>>;
}

/** No single query may ask for more points than this. */
export const maximumCost = 1_000;

const mutationCost = 10;
const connectionCost = 2;
/** That many elements of a list cost as much as one. The real weights are not published; these let through what the real API lets through. */
const elementsPerPoint = 10;

/**
 * Points of an operation: 10 per mutation; 1 per object; a connection (or the list `nodes(ids)`) 2 and a tenth of its elements with what is
 * selected in each; scalars, page information and short inner lists nothing. Without `data` what is requested (sized by `first`, or by
 * the ids), with `data` what was really answered. The second is never more than the first.
 */
export function costOf(costed: CostedOperation, data?: unknown): number {
  const { schema, operation } = costed;
  if (operation.operation === 'mutation') return mutationCost * fieldsOf(costed, operation.selectionSet).length;
  const root = schema.getQueryType();
  return root ? costOfSelection(costed, root, operation.selectionSet, data) : 0;
}

function costOfSelection(costed: CostedOperation, parent: GraphQLCompositeType, selections: SelectionSetNode, data: unknown): number {
  return fieldsOf(costed, selections, parent).reduce((sum, [field, on]) => sum + costOfField(costed, on, field, data), 0);
}

function costOfField(costed: CostedOperation, parent: GraphQLCompositeType, field: FieldNode, data: unknown): number {
  const definition = 'getFields' in parent ? parent.getFields()[field.name.value] : undefined;
  if (definition === undefined || field.selectionSet === undefined) return 0;
  const type = getNamedType(definition.type);
  if (isLeafType(type) || !isCompositeType(type) || type.name === 'PageInfo') return 0;
  const value = data === undefined ? undefined : at(data, field.alias?.value ?? field.name.value);
  if (data !== undefined && (value === null || value === undefined)) return 0;

  const inside = (of: unknown, selections = field.selectionSet as SelectionSetNode, on: GraphQLCompositeType = type) =>
    costOfSelection(costed, on, selections, of);
  if (type.name.endsWith('Connection')) return connectionCost + costOfConnection(costed, type, field, value);
  if (field.name.value === 'nodes') {
    const size = Array.isArray(value) ? value.length : listSize(argument(costed, field, 'ids'));
    return elements(value, size, (element) => 1 + inside(element));
  }
  return Array.isArray(value) || String(definition.type).startsWith('[') ? 0 : 1 + inside(value);
}

function costOfConnection(costed: CostedOperation, type: GraphQLCompositeType, field: FieldNode, value: unknown): number {
  const size = argument(costed, field, 'first');
  return fieldsOf(costed, field.selectionSet as SelectionSetNode, type).reduce((sum, [inner, on]) => {
    if (inner.name.value !== 'nodes' || inner.selectionSet === undefined || !('getFields' in on)) return sum;
    const element = on.getFields()['nodes'];
    const elementType = element && getNamedType(element.type);
    if (!isCompositeType(elementType)) return sum;
    const selections = inner.selectionSet;
    const list = value === undefined ? undefined : at(value, inner.alias?.value ?? 'nodes');
    return sum + elements(list, typeof size === 'number' ? size : 0, (each) => 1 + costOfSelection(costed, elementType, selections, each));
  }, 0);
}

/** `list` undefined: what `size` elements would cost. */
function elements(list: unknown, size: number, costOfEach: (element: unknown) => number): number {
  const sum = Array.isArray(list)
    ? list.filter((element) => element !== null).reduce((total: number, element) => total + costOfEach(element), 0)
    : Math.max(0, size) * costOfEach(undefined);
  return Math.ceil(sum / elementsPerPoint);
}

/** The fields of a selection, those of fragments included, each with the type that it is selected on. */
function fieldsOf(
  costed: CostedOperation,
  selections: SelectionSetNode,
  parent?: GraphQLCompositeType,
): [FieldNode, GraphQLCompositeType][] {
  return selections.selections.flatMap((selection): [FieldNode, GraphQLCompositeType][] => {
    if (selection.kind === Kind.FIELD) return [[selection, parent as GraphQLCompositeType]];
    const fragment = selection.kind === Kind.FRAGMENT_SPREAD ? costed.fragments.get(selection.name.value) : selection;
    const condition = fragment?.typeCondition && costed.schema.getType(fragment.typeCondition.name.value);
    return fragment ? fieldsOf(costed, fragment.selectionSet, isCompositeType(condition) ? condition : parent) : [];
  });
}

function argument({ variables }: CostedOperation, field: FieldNode, name: string): unknown {
  const value = field.arguments?.find((each) => each.name.value === name)?.value;
  if (value?.kind === Kind.VARIABLE) return variables[value.name.value];
  if (value?.kind === Kind.INT) return Number(value.value);
  return value?.kind === Kind.LIST ? value.values : undefined;
}

const listSize = (value: unknown): number => (Array.isArray(value) ? value.length : value === undefined || value === null ? 0 : 1);

const at = (data: unknown, key: string): unknown =>
  typeof data === 'object' && data !== null ? (data as Record<string, unknown>)[key] : undefined;
