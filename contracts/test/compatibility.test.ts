import { describe, expect, test } from '@jest/globals';
import { incompatibilities } from '../src/compatibility.ts';
import { loadReleased, loadSchemas, subjectOf, type AvroField, type AvroRecord } from '../src/schemas.ts';

const released = loadReleased();
const versionsOf = (subject: string) => released.flatMap(({ schemas }) => schemas.filter((schema) => subjectOf(schema) === subject));
const schemas = loadSchemas();

test.each(schemas.map((schema) => [subjectOf(schema), schema] as const))(
  '%s reads, and is read by, every version ever released',
  (subject, schema) => {
    expect(incompatibilities(schema, versionsOf(subject))).toEqual([]);
  },
);

test('no released event has been taken away', () => {
  const present = new Set(schemas.map(subjectOf));
  const gone = released.flatMap(({ schemas: earlier }) => earlier.map(subjectOf)).filter((subject) => !present.has(subject));
  expect(gone).toEqual([]);
});

describe('a change that would break somebody is refused, with no registry running', () => {
  const moved = schemas.find(({ name }) => name === 'StockMoved') as AvroRecord;
  const withFields = (change: (fields: readonly AvroField[]) => AvroField[]): AvroRecord => ({ ...moved, fields: change(moved.fields) });
  const extra = { name: 'weight', doc: 'Weight.', type: 'int' } as const;

  test.each([
    ['a field is removed that has no default', withFields((fields) => fields.filter(({ name }) => name !== 'counted'))],
    ['a field is added without a default', withFields((fields) => [...fields, extra])],
    ['a field is renamed', withFields((fields) => fields.map((field) => (field.name === 'cause' ? { ...field, name: 'because' } : field)))],
    [
      'a number becomes a text',
      withFields((fields) => fields.map((field) => (field.name === 'sequence' ? { ...field, type: 'string' } : field))),
    ],
    [
      'a long becomes an int',
      withFields((fields) => fields.map((field) => (field.name === 'sequence' ? { ...field, type: 'int' } : field))),
    ],
    [
      'a text may be missing now',
      withFields((fields) => fields.map((field) => (field.name === 'cause' ? { ...field, type: ['null', 'string'] } : field))),
    ],
  ])('%s', (_what, next) => {
    expect(incompatibilities(next, [moved])).not.toEqual([]);
  });

  test('a field with a default may be added, and taken away again', () => {
    const next = withFields((fields) => [...fields, { ...extra, default: 0 }]);
    expect(incompatibilities(next, [moved])).toEqual([]);
    expect(incompatibilities(moved, [moved, next])).toEqual([]);
  });

  test('an older version counts as much as the latest', () => {
    const second = withFields((fields) => [...fields, { ...extra, default: 0 }]);
    const third = {
      ...second,
      fields: second.fields.map((field) => (field.name === 'weight' ? { ...field, type: 'string', default: '' } : field)),
    };
    expect(incompatibilities(third, [moved])).toEqual([]);
    expect(incompatibilities(third, [moved, second])).not.toEqual([]);
  });
});
