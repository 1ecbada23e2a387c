import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { runChild, rank } from '../local/child.ts';
import { ask, secantusRust, type DatabaseKind } from '../local/toolbox.mjs';

const server = { crate: 'secantus-mdb', version: '0.5.3-beta.193' };
const tellEveryMilliseconds = 15_000;

/**
 * The database to measure with: what MONGO_URL names; else SecantusDB's Rust server, built once where cargo is at hand (some five minutes);
 * else undefined: what `npm start` would choose.
 */
export async function chooseDatabase({
  directory,
  env,
  say,
  signal,
}: {
  directory: string;
  env: NodeJS.ProcessEnv;
  say: (line: string) => void;
  signal?: AbortSignal | undefined;
}): Promise<DatabaseKind | undefined> {
  if (env.MONGO_URL) return 'url';
  if (existsSync(secantusRust.program)) return 'secantus-rust';
  if (!(await ask('cargo', ['--version'], 10)).ok) {
    say('No cargo here to build the faster database with: measuring on the one that npm start uses.');
    return undefined;
  }
  return (await build(directory, say, signal)) ? 'secantus-rust' : undefined;
}

/** cargo leaves the program in its place only when it is complete. */
async function build(directory: string, say: (line: string) => void, signal: AbortSignal | undefined): Promise<boolean> {
  say(`Building SecantusDB's Rust server with cargo, once: some five minutes of all cores …`);
  const began = Date.now();
  const timer = setInterval(() => say(`… still building after ${Math.round((Date.now() - began) / 1_000)} s`), tellEveryMilliseconds);
  const args = ['install', server.crate, '--version', server.version, '--locked', '--ignore-rust-version'];
  try {
    const root = dirname(dirname(secantusRust.program));
    await runChild({ name: 'cargo', directory, command: 'cargo', args: [...args, '--root', root], rank: rank.backing }, signal);
    return true;
  } catch (error) {
    signal?.throwIfAborted();
    say(`It could not be built; measuring on the database that npm start uses. ${error instanceof Error ? error.message : String(error)}`);
    return false;
  } finally {
    clearInterval(timer);
  }
}
