import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ServiceApi } from '@evenkeel/chassis';
import { root } from '../local/toolbox.mjs';

const apiFile = (service: string) => join(root, 'services', service, 'src', 'api.ts');

/** The folders of services that say what they promise: those with an `src/api.ts`. */
const servicesWithApi = (): string[] =>
  readdirSync(join(root, 'services'))
    .filter((service) => existsSync(apiFile(service)))
    .toSorted();

/** What each service promises, without starting it. */
export async function loadServiceApis(): Promise<ServiceApi[]> {
  const modules = servicesWithApi().map((service) => import(pathToFileURL(apiFile(service)).href) as Promise<{ api: ServiceApi }>);
  return (await Promise.all(modules)).map(({ api }) => api);
}
