// Writes what follows from each service's src/api.ts: its OpenAPI and AsyncAPI documents, and the types of the HTTP client. `--check`: fails where one is out of date.
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createOpenApi } from '@evenkeel/chassis';
import { root } from '../local/toolbox.mjs';
import { asyncApiOf } from './async-api.ts';
import { clientIndexOf, clientTypesOf, type OpenApi } from './client-types.ts';
import { loadServiceApis } from './services.ts';

const contracts = join(root, 'contracts');
const generatedFiles = ['openapi/*.json', 'asyncapi/*.json', 'src/generated/http.ts', 'src/generated/http/*.ts'];
const json = (document: unknown): string => `${JSON.stringify(document, null, 2)}\n`;

/** Path below contracts/ → content. */
async function generate(): Promise<Map<string, string>> {
  const apis = await loadServiceApis();
  const files = new Map([['src/generated/http.ts', clientIndexOf(apis.map(({ name }) => name))]]);
  for (const api of apis) {
    const openApi = createOpenApi(api);
    files.set(`openapi/${api.name}.json`, json(openApi));
    files.set(`asyncapi/${api.name}.json`, json(asyncApiOf(api)));
    files.set(`src/generated/http/${api.name}.ts`, clientTypesOf(api.name, openApi as unknown as OpenApi));
  }
  return files;
}

function outOfDate(files: ReadonlyMap<string, string>): string[] {
  const stale = [...files].filter(([path, content]) => {
    const file = join(contracts, path);
    return !existsSync(file) || readFileSync(file, 'utf8') !== content;
  });
  const orphans = globSync(generatedFiles, { cwd: contracts }).filter((path) => !files.has(path));
  return [...stale.map(([path]) => path), ...orphans];
}

const files = await generate();
const stale = outOfDate(files);
if (process.argv.includes('--check')) {
  for (const path of stale) console.error(`contracts/${path} is out of date: run \`npm run generate\`.`);
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  for (const path of stale) {
    const file = join(contracts, path);
    mkdirSync(dirname(file), { recursive: true });
    const content = files.get(path);
    if (content === undefined) rmSync(file);
    else writeFileSync(file, content);
  }
}
