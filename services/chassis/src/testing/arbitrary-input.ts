import fc from 'fast-check';

/** A JSON Schema as far as our OpenAPI documents use it. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly pattern?: string;
  readonly format?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

/** What people, scripts and enemies send in place of what is asked for. */
export const aMess = (): fc.Arbitrary<unknown> =>
  fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom<unknown>(
      null,
      '',
      ' ',
      -1,
      0,
      0.5,
      1e308,
      2 ** 53,
      true,
      'NaN',
      '\u0000',
      '\ud800',
      '../..',
      '__proto__',
      'constructor',
      'x'.repeat(300),
      'x'.repeat(9_000),
      [],
      {},
      { $gt: '' },
      [[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]],
      Array.from({ length: 1_200 }, () => 'a'),
    ),
  );

/** Values of a schema, its parts now and then a mess. */
export function aValueOf(schema: JsonSchema): fc.Arbitrary<unknown> {
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (alternatives) return fc.oneof(...alternatives.map(aValueOf));
  const [type] = [schema.type].flat();
  switch (type) {
    case 'string':
      return aText(schema);
    case 'integer':
    case 'number':
      return aNumber(schema);
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return fc.array(sometimesWrong(schema.items ?? {}), { minLength: Math.min(schema.minItems ?? 0, 5), maxLength: 5 });
    case 'object':
      return anObject(schema);
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

const sometimesWrong = (schema: JsonSchema): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 12, arbitrary: aValueOf(schema) }, { weight: 1, arbitrary: aMess() });

function anObject({ properties = {}, required = [] }: JsonSchema): fc.Arbitrary<unknown> {
  const values = Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, sometimesWrong(schema)]));
  const whole = fc.record(values, { requiredKeys: [...required] });
  const torn = fc.record(values, { requiredKeys: [] });
  const more = whole.map((value) => ({ ...value, 'no-such-field': 1 }));
  return fc.oneof({ weight: 8, arbitrary: whole }, { weight: 1, arbitrary: torn }, { weight: 1, arbitrary: more });
}

/** Few words, so that one request finds what another has made; and the edges. */
const words = ['a', 'MUG/blue', 'sku 1', 'order-1', 'default', '1', '7', '2026-01-01T00:00:00.000Z', 'ä', '😀'];

function aText({ pattern, format, minLength = 0, maxLength = 8_000 }: JsonSchema): fc.Arbitrary<string> {
  const fitting = (text: string) =>
    text.length >= minLength && text.length <= maxLength && (!pattern || new RegExp(pattern, 'u').test(text));
  const edges = ['x'.repeat(maxLength), 'x'.repeat(minLength), ...words].filter(fitting);
  const made = pattern === undefined ? fc.string({ minLength, maxLength: Math.min(maxLength, minLength + 20) }) : matching(pattern, format);
  return edges.length > 0 ? fc.oneof(fc.constantFrom(...edges), made) : made;
}

/** Patterns that fast-check cannot read (`\p{Cc}`) say what must not be in a text; the words fit them. */
function matching(pattern: string, format: string | undefined): fc.Arbitrary<string> {
  if (format === 'date-time')
    return fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }).map((date) => date.toISOString());
  try {
    return fc.stringMatching(new RegExp(pattern, 'u'));
  } catch {
    return fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
  }
}

function aNumber({ type, minimum = -1_000_000, maximum = 1_000_000 }: JsonSchema): fc.Arbitrary<number> {
  const [low, high] = [Math.max(minimum, Number.MIN_SAFE_INTEGER), Math.min(maximum, Number.MAX_SAFE_INTEGER)];
  const some = fc.oneof(
    fc.constantFrom(low, high),
    fc.integer({ min: Math.ceil(low), max: Math.floor(high) }),
    fc.integer({ min: Math.ceil(low), max: Math.min(Math.floor(high), Math.ceil(low) + 20) }),
  );
  return type === 'number' ? fc.oneof(some, fc.double({ min: low, max: high, noNaN: true })) : some;
}
