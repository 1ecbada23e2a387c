import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Child, openChild, rank } from './child.ts';
import { javaCommand, jvm } from './toolbox.mjs';

export const registryPath = '/apis/ccompat/v7';

/** The Apicurio schema registry, ready to serve; its schemas lie in data/registry. */
export async function openNativeRegistry(options: { directory: string; port: number; signal?: AbortSignal | undefined }): Promise<Child> {
  const { directory, port, signal } = options;
  const data = join(directory, 'data', 'registry');
  mkdirSync(data, { recursive: true });
  const jar = join(jvm.directory, 'registry', 'apicurio-registry-app-2.6.13.Final-runner.jar');
  const settings = [
    `-Dquarkus.http.host=127.0.0.1`,
    `-Dquarkus.http.port=${port}`,
    `-Dquarkus.datasource.jdbc.url=jdbc:h2:file:${join(data, 'registry')}`,
    '-Dquarkus.log.console.color=false',
  ];
  const child = openChild({
    name: 'registry',
    directory,
    command: javaCommand(),
    args: ['-Xms32m', '-Xmx192m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', ...settings, '-jar', jar],
    rank: rank.backing,
    restart: true,
    stopSeconds: 20,
  });
  try {
    await child.waitFor('The schema registry', () => registryAnswers(`http://127.0.0.1:${port}${registryPath}`), { seconds: 120, signal });
    return child;
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
}

/** @param url of the registry's Confluent-compatible interface */
export async function registryAnswers(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/subjects`, { signal: AbortSignal.timeout(2000) });
  await answer.arrayBuffer();
  return answer.ok;
}
