import { randomUUID } from 'node:crypto';
import { topics } from '@evenkeel/contracts';
import { expect, test } from '@jest/globals';
import type { Outgoing } from '../src/events.ts';
import { incidentRoutes } from '../src/incidents/routes.ts';
import { createIncidentReporter, openIncidentStore } from '../src/incidents/store.ts';
import { openMongo } from '../src/mongo.ts';
import { openRoutes } from '../src/testing/open-routes.ts';

async function openIncidents() {
  const mongo = await openMongo({ url: process.env.MONGO_URL ?? '', database: `test_${randomUUID().slice(0, 8)}` });
  const store = await openIncidentStore(mongo);
  const sent: Outgoing[] = [];
  const sender = { send: async (messages: readonly Outgoing[]) => void sent.push(...messages) };
  const http = await openRoutes(incidentRoutes({ incidents: store }), { tenant: 'acme', user: 'ann', roles: ['clerk'] });
  return {
    store,
    sent,
    call: http.call,
    report: createIncidentReporter({ store, sender, topic: topics.stockIncidents }),
    async [Symbol.asyncDispose]() {
      await http[Symbol.asyncDispose]();
      await mongo.connection.dropDatabase();
      await mongo[Symbol.asyncDispose]();
    },
  };
}

const named = (subject: string, tenant = 'acme', kind = 'oversold') => ({ tenant, kind, subject });
const opened = (subject: string, sequence: number, tenant = 'acme', kind = 'oversold') => ({
  ...named(subject, tenant, kind),
  ...({ state: 'open', count: 1, openedAt: 1, closedAt: null, details: { available: '-1' }, sequence, at: 1, correlation: 'c' } as const),
});
const subjectsIn = (body: unknown) => (body as { incidents: { subject: string }[] }).incidents.map(({ subject }) => subject);

test('an incident is what its newest change says, however often and in whatever order it is told', async () => {
  await using incidents = await openIncidents();
  const open = opened('MUG', 3);
  const closed = { ...open, state: 'closed', closedAt: 9, sequence: 5 } as const;
  await incidents.store.record([open]);
  await incidents.store.record([open]);
  expect(await incidents.store.find(named('MUG'))).toMatchObject({ state: 'open', sequence: 3 });
  await incidents.store.record([closed]);
  await incidents.store.record([open, opened('CUP', 1)]);
  expect(await incidents.store.find(named('MUG'))).toMatchObject({ state: 'closed', sequence: 5 });
  expect(await incidents.store.find(named('CUP'))).toMatchObject({ state: 'open', sequence: 1 });
  expect(await incidents.store.open('oversold')).toBe(1);
});

test('incidents come in pages, by kind and state, and only those of their own seller', async () => {
  await using incidents = await openIncidents();
  await incidents.store.record([...['a', 'b/c', 'd'].map((subject) => opened(subject, 1)), opened('a', 1, 'acme', 'low_stock')]);
  await incidents.store.record([opened('a', 1, 'acme2'), opened('a', 1, 'other')]);
  const first = await incidents.call('GET', '/incidents?kind=oversold&limit=2');
  const { next } = first.body as { next: string };
  const second = await incidents.call('GET', `/incidents?kind=oversold&limit=2&after=${encodeURIComponent(next)}`);
  expect([...subjectsIn(first.body), ...subjectsIn(second.body)]).toEqual(['a', 'b/c', 'd']);
  expect((await incidents.call('GET', '/incidents')).body).toMatchObject({ incidents: { length: 4 } });
  expect((await incidents.call('GET', '/incidents?state=closed')).body).toEqual({ incidents: [], next: null });
});

test('who has seen an incident says so; it stays open, closes by itself, and a later opening is to be seen anew', async () => {
  await using incidents = await openIncidents();
  await incidents.store.record([opened('a/b', 1)]);
  const path = '/incidents/oversold/a%2Fb';
  const acknowledged = { state: 'open', acknowledged: { user: 'ann' } };
  expect(await incidents.call('POST', `${path}/acknowledgements`)).toMatchObject({ status: 200, body: { incident: acknowledged } });
  expect((await incidents.call('GET', path)).body).toMatchObject({ incident: acknowledged });
  await incidents.store.record([{ ...opened('a/b', 2), state: 'closed', closedAt: 5 }]);
  expect(await incidents.call('POST', `${path}/acknowledgements`)).toMatchObject({
    status: 409,
    body: { type: 'urn:evenkeel:problem:incident-closed' },
  });
  await incidents.store.record([{ ...opened('a/b', 3), count: 2 }]);
  expect((await incidents.call('GET', path)).body).toMatchObject({ incident: { state: 'open', count: 2, acknowledged: null } });
  expect(await incidents.call('POST', '/incidents/oversold/nothing/acknowledgements')).toMatchObject({ status: 404 });
});

test('who keeps no journal reports what is wrong as often as it likes, and each opening and closing is told once', async () => {
  await using incidents = await openIncidents();
  const report = (details: Record<string, string> | null, at: number) =>
    incidents.report({ ...named('s1/L1'), details, at, correlation: 'c' });
  await report(null, 1);
  await report({ because: 'refused' }, 2);
  await report({ because: 'refused again' }, 3);
  await report(null, 4);
  await report(null, 5);
  expect(incidents.sent.map(({ event }) => event?.data)).toMatchObject([
    { state: 'open', details: { because: 'refused' } },
    { state: 'closed', closedAt: 4 },
  ]);
  expect(new Set(incidents.sent.map(({ event }) => event?.id)).size).toBe(2);
  expect(await incidents.store.find(named('s1/L1'))).toMatchObject({ state: 'closed', sequence: 2 });
});
