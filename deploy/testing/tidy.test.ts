// Rules about the repository itself that no linter can say, and the proof that the linter says the others.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { allTopics } from '@evenkeel/contracts';
import { root } from '../local/toolbox.mjs';

const read = (path: string) => readFileSync(join(root, path), 'utf8');
const services = readdirSync(join(root, 'services')).sort();

describe('what a service reads from its environment stands in a README', () => {
  /** The variables that a config.ts names as keys of its shape. */
  const variablesOf = (config: string) => [...config.matchAll(/^ +([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*):/gm)].map(([, name]) => name!);
  const withConfig = services.filter((service) => existsSync(join(root, 'services', service, 'src', 'config.ts')));

  test.each(withConfig)('%s', (service) => {
    const config = read(`services/${service}/src/config.ts`);
    const readme = read(`services/${service}/README.md`);
    expect(variablesOf(config).filter((name) => !readme.includes(name))).toEqual([]);
    // What all services share is described once, in the chassis.
    if (service !== 'chassis' && config.includes('commonConfig(')) expect(readme).toContain('../chassis/README.md');
  });
});

test('every topic belongs to a service that exists, and every connector kind has one', () => {
  const owners = allTopics.map(({ owner }) => owner);
  const unknown = owners.filter((owner) => !services.some((service) => new RegExp(`^${owner.replace('*', '.+')}$`).test(service)));
  expect(unknown).toEqual([]);
});

test('every event has one schema file, in the folder of those who write it', () => {
  const files = readdirSync(join(root, 'contracts', 'avro'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.avsc'),
  );
  const names = files.map((path) => path.split('/').at(-1)!.slice(0, -'.avsc'.length));
  const carried = new Set<string>(allTopics.flatMap(({ events }) => [...events]));
  expect(names).toEqual([...new Set(names)]);
  expect(names.filter((name) => !carried.has(name))).toEqual([]);
  expect([...carried].filter((name) => !names.includes(name))).toEqual([]);
});

test('the lockfile names no registry host, so that any registry serves it', () => {
  expect(read('package-lock.json')).not.toMatch(/"resolved": "https?:/);
});

test('containers have the versions that run without Docker', () => {
  const [, kafka] = /kafka_2\.13<\/artifactId>\s*<version>([^<]+)</.exec(read('deploy/local/kafka/pom.xml')) ?? [];
  const [, registry] = /apicurio-registry-app<\/artifactId>\s*<version>([^<]+)</.exec(read('deploy/local/kafka/pom.xml')) ?? [];
  const [, mongod] = /version: '([^']+)'/.exec(read('deploy/local/toolbox.mjs')) ?? [];
  const images = [`apache/kafka:${kafka}`, `apicurio/apicurio-registry-mem:${registry}`, `mongo:${mongod}`];
  for (const path of ['docker-compose.yml', 'deploy/local/docker.ts']) for (const image of images) expect(read(path)).toContain(image);
});

describe('the linter', () => {
  const imports = 'eslint(no-restricted-imports)';
  const globals = 'eslint(no-restricted-globals)';
  const use = (name: string, from: string) => `import { ${name} } from '${from}';\nexport const used = ${name};`;

  type Case = readonly [what: string, path: string, code: string, rule?: string];
  const refused: readonly Case[] = [
    ['a service that imports a service', 'services/stock/src/http.ts', use('decide', '@evenkeel/sync-policy/domain')],
    ['the same by path', 'services/stock/src/http.ts', use('decide', '../../sync-policy/src/domain.ts')],
    ['the same in a test', 'services/stock/test/a.ts', use('decide', '../../sync-policy/src/domain.ts')],
    ['a service that imports the sandbox', 'services/connector-shopify/src/a.ts', use('control', '@evenkeel/marketplace-sandbox/control')],
    ['a chassis that imports a service', 'services/chassis/src/run.ts', use('fold', '@evenkeel/stock/domain')],
    ['a chassis that imports the connector kit', 'services/chassis/src/run.ts', use('loop', '@evenkeel/connector-kit')],
    ['a connector kit that imports a connector', 'services/connector-kit/src/a.ts', use('shop', '../../connector-shopify/src/shopify.ts')],
    ['contracts that import the chassis', 'contracts/src/a.ts', use('run', '@evenkeel/chassis')],
    ['a sandbox that imports contracts', 'services/marketplace-sandbox/src/a.ts', use('topics', '@evenkeel/contracts')],
    ['a service that imports deployment', 'services/order/src/a.ts', use('root', '../../../deploy/local/toolbox.mjs')],
    ['an auditor that imports contracts', 'deploy/audit/a.ts', use('topics', '@evenkeel/contracts')],
    ['an auditor that imports a pure domain', 'deploy/audit/a.ts', use('decide', '@evenkeel/sync-policy/domain')],
    ['an auditor that imports a service by path', 'deploy/audit/a.ts', use('fold', '../../services/stock/src/domain.ts')],
    ['deployment that imports more than a domain', 'deploy/replay/a.ts', use('handlers', '@evenkeel/stock/handlers')],
    ['a domain that imports a package', 'services/stock/src/domain.ts', use('z', 'zod')],
    ['a domain that imports Node', 'services/stock/src/domain.ts', use('hash', 'node:crypto')],
    ['a domain that imports a neighbour', 'services/stock/src/domain.ts', use('store', './store.ts')],
    ['a domain that imports code of contracts', 'services/stock/src/domain.ts', use('topics', '@evenkeel/contracts')],
    ['a domain that reads the clock', 'services/stock/src/domain.ts', 'export const now = Date.now();', globals],
    ['a domain that waits', 'services/stock/src/domain.ts', 'setTimeout(() => {}, 1);', globals],
    ['a domain that throws dice', 'services/stock/src/domain.ts', 'export const x = Math.random();', 'eslint(no-restricted-properties)'],
    ['the environment outside main.ts', 'services/stock/src/http.ts', 'export const x = process.env.X;', 'node(no-process-env)'],
    ['a default export', 'services/stock/src/http.ts', 'export default 1;', 'import(no-default-export)'],
  ];
  const accepted: readonly Case[] = [
    [
      'types of contracts in a domain',
      'services/stock/src/domain.ts',
      "import type { StockMoved } from '@evenkeel/contracts';\nexport type A = StockMoved;",
    ],
    ['contracts in a service', 'services/stock/src/a.ts', use('topics', '@evenkeel/contracts')],
    ['the environment in main.ts', 'services/stock/src/main.ts', 'export const x = process.env.X;'],
    ['the pure domain in a tool', 'deploy/simulate-policy/a.ts', use('decide', '@evenkeel/sync-policy/domain')],
    [
      "the sandbox's control client in a connector's test",
      'services/connector-shopify/test/a.ts',
      use('control', '@evenkeel/marketplace-sandbox/control'),
    ],
  ];

  /** Each case is a file in a repository of its own, with our rules; the linter reads all of them at once. */
  const directory = mkdtempSync(join(tmpdir(), 'evenkeel-tidy-'));
  const complaints = new Map<string, string[]>();
  beforeAll(() => {
    for (const [number, [, path, code]] of [...refused, ...accepted].entries()) {
      const file = join(directory, String(number), path);
      mkdirSync(dirname(file), { recursive: true });
      cpSync(join(root, '.oxlintrc.json'), join(directory, String(number), '.oxlintrc.json'));
      writeFileSync(file, `${code}\n`);
    }
    const oxlint = join(root, 'node_modules', '.bin', 'oxlint');
    const { stdout } = spawnSync(oxlint, ['-f', 'json', '.'], { cwd: directory, encoding: 'utf8' });
    for (const { code, filename } of (JSON.parse(stdout) as { diagnostics: { code: string; filename: string }[] }).diagnostics) {
      const number = filename.split('/')[0]!;
      complaints.set(number, [...(complaints.get(number) ?? []), code]);
    }
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  test.each(refused.map((each, number) => [each[0], number, each[3] ?? imports] as const))('refuses %s', (_, number, rule) => {
    expect(complaints.get(String(number))).toContain(rule);
  });

  test.each(accepted.map((each, number) => [each[0], number] as const))('accepts %s', (_, number) => {
    expect(complaints.get(String(refused.length + number))).toBeUndefined();
  });
});
