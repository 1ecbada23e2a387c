import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { loadSchemas, type AvroField, type AvroType } from '../src/schemas.ts';
import { allTopics, keyOf, partsOf } from '../src/topics.ts';

const schemas = loadSchemas();

test('every event travels on a topic that has one owner, and every topic carries an event that exists', () => {
  const carried = allTopics.flatMap(({ events }) => events as readonly string[]);
  expect([...new Set(carried)].toSorted()).toEqual(schemas.map(({ name }) => name).toSorted());
  expect(allTopics.every(({ owner }) => owner.length > 0)).toBe(true);
  expect(new Set(allTopics.map(({ name }) => name)).size).toBe(allTopics.length);
});

test('the parts of a key are fields of every event of its topic, so that the key can be read off the event', () => {
  const control = 'TenantPolicyChanged'; // one per partition, whatever its key
  for (const topic of allTopics)
    for (const name of topic.events.filter((event) => event !== control)) {
      const fields = schemas.find((schema) => schema.name === name)?.fields.map((field) => field.name) ?? [];
      expect([name, ...topic.key.filter((part) => !fields.includes(part))]).toEqual([name]);
    }
});

test('every field of every event says what it is', () => {
  const fieldsOf = (type: AvroType): AvroField[] => {
    if (typeof type === 'string') return [];
    if (Array.isArray(type)) return type.flatMap(fieldsOf);
    if (type.type === 'record') return type.fields.flatMap((field) => [field, ...fieldsOf(field.type)]);
    if (type.type === 'array') return fieldsOf(type.items);
    return [];
  };
  const silent = schemas.flatMap((schema) => fieldsOf(schema).filter(({ doc }) => !doc || doc.length < 3));
  expect(silent).toEqual([]);
});

test('two sellers never share a key, however their SKUs are written', () => {
  expect(keyOf('a', 'b/c')).not.toBe(keyOf('a/b', 'c'));
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1 }), (parts) => expect(partsOf(keyOf(...parts))).toEqual(parts)),
  );
});
