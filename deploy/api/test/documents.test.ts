import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createOpenApi } from '@evenkeel/chassis';
import { allTopics } from '@evenkeel/contracts';
import { describe, expect, test } from '@jest/globals';
import { root } from '../../local/toolbox.mjs';
import { asyncApiOf } from '../async-api.ts';
import { loadServiceApis } from '../services.ts';

const apis = await loadServiceApis();
const isOwner = (owner: string, service: string) => new RegExp(`^${owner.replace('*', '.+')}$`).test(service);

/** Whether everything that a document refers to is in it. */
function dangling(document: object): string[] {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) => path);
  const find = (path: string) =>
    path.split('/').reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part.replaceAll('~1', '/')], document);
  return [...new Set(references)].filter((path) => find(path) === undefined);
}

test('every service that runs says what it promises, under its own name', () => {
  const running = readdirSync(join(root, 'services')).filter((service) => existsSync(join(root, 'services', service, 'src', 'main.ts')));
  expect(apis.map(({ name }) => name)).toEqual(running.filter((service) => service !== 'marketplace-sandbox').toSorted());
});

describe('topics', () => {
  test('are sent by their owner alone', () => {
    const trespassing = apis.flatMap(({ name, writes }) =>
      writes.filter(({ owner }) => !isOwner(owner, name)).map((topic) => `${name} sends ${topic.name} of ${topic.owner}`),
    );
    expect(trespassing).toEqual([]);
  });

  test('are all sent by somebody', () => {
    const sent = new Set(apis.flatMap(({ writes }) => writes.map(({ name }) => name)));
    expect(allTopics.map(({ name }) => name).filter((name) => !sent.has(name))).toEqual([]);
  });

  test('are read only where somebody sends them', () => {
    const sent = new Set(apis.flatMap(({ writes }) => writes.map(({ name }) => name)));
    expect(apis.flatMap(({ reads }) => reads.map(({ name }) => name)).filter((name) => !sent.has(name))).toEqual([]);
  });

  test('are named once by each service', () => {
    for (const { name, reads, writes } of apis)
      for (const topics of [reads, writes]) {
        const names = topics.map((topic) => topic.name);
        expect([name, names]).toEqual([name, [...new Set(names)]]);
      }
  });
});

describe.each(apis.map((api) => [api.name, api] as const))('the AsyncAPI document of %s', (_, api) => {
  const document = asyncApiOf(api);

  test('has a channel for every topic, with a message for every event, and its operations', () => {
    for (const topic of [...api.reads, ...api.writes])
      expect(document.channels[topic.name]).toMatchObject({
        address: topic.name,
        messages: Object.fromEntries(topic.events.map((event) => [event, { $ref: `#/components/messages/${event}` }])),
      });
    const operations = Object.values(document.operations).map(({ action, channel }) => `${action} ${channel.$ref}`);
    expect(operations).toEqual([...new Set(operations)]);
    for (const { name } of api.reads) expect(operations).toContain(`receive #/channels/${name}`);
    for (const { name } of api.writes) expect(operations).toContain(`send #/channels/${name}`);
  });

  test('is whole: a payload schema for each message, and nothing that it does not have is referred to', () => {
    expect(dangling(document)).toEqual([]);
    for (const [name, message] of Object.entries(document.components.messages))
      if (name !== 'DeadLetter') expect(message).toMatchObject({ payload: { schema: { type: 'record', name } } });
  });
});

describe.each(apis.map((api) => [api.name, api] as const))('the OpenAPI document of %s', (_, api) => {
  const document = createOpenApi(api);
  const operations = Object.values(document.paths ?? {}).flatMap((path) => Object.values(path ?? {}));

  test('has every route once, each with a name of its own and in words', () => {
    expect(operations).toHaveLength(api.routes.length);
    const names = operations.map(({ operationId }) => operationId as string);
    expect(names).toEqual([...new Set(names)]);
    for (const { summary } of operations) expect(summary).toMatch(/^\S.{5,}/);
  });

  // Connectors said of none of their stores what is answered where it is not there.
  test('says what is answered where nothing has the name that an address has in it, but for products, which anybody may begin', () => {
    const named = api.routes.filter(({ path }) => path.includes(':') && !path.startsWith('/products/') && !path.endsWith('/reservations'));
    const silent = named.filter(({ path, method }) => {
      const operation = document.paths?.[path.replaceAll(/:(\w+)/g, '{$1}')]?.[method] as { readonly responses: object } | undefined;
      return !Object.keys(operation?.responses ?? {}).includes('404');
    });
    expect(silent.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
  });

  test('is whole, and every "no" in it is a problem', () => {
    expect(dangling(document)).toEqual([]);
    for (const { responses } of operations)
      for (const [status, { content }] of Object.entries(responses as Record<string, { content?: object }>))
        if (Number(status) >= 400) expect([status, Object.keys(content ?? {})]).toEqual([status, ['application/problem+json']]);
  });
});
