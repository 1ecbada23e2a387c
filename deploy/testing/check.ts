// `npm run check`: all that can be said about the code without running it. Everything runs, so that one go shows everything.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../local/toolbox.mjs';

const bin = (name: string) => join(root, 'node_modules', '.bin', name);

const checks: readonly (readonly [title: string, command: string, ...args: string[]])[] = [
  ['formatting', bin('prettier'), '--check', '--log-level', 'warn', '.'],
  ['lint with types, boundaries', bin('oxlint'), '--type-aware', '--deny-warnings'],
  ['dead code', bin('knip'), '--no-config-hints', '--no-progress'],
  ['types', bin('tsc'), '-p', '.'],
  ['generated events', process.execPath, 'contracts/src/generate.ts', '--check'],
  ['generated documents and client', process.execPath, 'deploy/api/generate.ts', '--check'],
];

function run([title, command, ...args]: (typeof checks)[number]): Promise<boolean> {
  const began = performance.now();
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(command, args, { cwd: root, env: { ...process.env, NO_COLOR: '1' }, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', (error) => (output += error.message));
    child.on('close', (code) => {
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${title} (${seconds} s)${code === 0 ? '' : `\n${output.trimEnd()}\n`}`);
      resolve(code === 0);
    });
  });
}

const passed = await Promise.all(checks.map(run));
if (passed.includes(false)) {
  console.log('npm run format mends the formatting; npm run generate the generated files.');
  process.exitCode = 1;
}
