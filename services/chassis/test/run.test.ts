import { spawn } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';

const fixture = new URL('fixtures/service.ts', import.meta.url).pathname;

/** Runs the fixture; `onOutput` sees all output so far, each time that there is more. */
function run(behaviour: string, onOutput: (output: string, kill: (signal: NodeJS.Signals) => void) => void = () => undefined) {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', fixture, behaviour], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      onOutput(output, (signal) => child.kill(signal));
    });
  return new Promise<{ code: number | null; output: string }>((resolve, reject) => {
    child.on('error', reject).on('close', (code) => resolve({ code, output }));
  });
}

/** Calls `then` once, when the output says so. */
const once = (said: string, then: (kill: (signal: NodeJS.Signals) => void) => unknown) => {
  let done = false;
  return (output: string, kill: (signal: NodeJS.Signals) => void) => {
    if (done || !output.includes(said)) return;
    done = true;
    then(kill);
  };
};

describe('a service', () => {
  test('that is asked to stop closes what it opened, last first, and ends with 0; a doubled signal is one wish', async () => {
    const { code, output } = await run(
      'runs',
      once('"msg":"running"', (kill) => (kill('SIGTERM'), kill('SIGINT'))),
    );
    expect(code).toBe(0);
    expect(output.indexOf('closed second-opened')).toBeLessThan(output.indexOf('closed first-opened'));
    expect(output).toContain('"msg":"stopped"');
  });

  test('that is asked to stop while it starts closes what it has', async () => {
    const { code, output } = await run(
      'slow-start',
      once('starting', (kill) => kill('SIGINT')),
    );
    expect(code).toBe(0);
    expect(output).toContain('closed first-opened');
  });

  test('that does not stop is forced by a second signal', async () => {
    let again: NodeJS.Timeout | undefined;
    const insist = once('"msg":"running"', (kill) => (again = setInterval(() => kill('SIGTERM'), 300)));
    const { code, output } = await run('hangs', insist);
    clearInterval(again);
    expect(code).toBe(1);
    expect(output).toContain('forced to stop');
  });

  test('that cannot start closes what it has, says why, and ends with 1', async () => {
    const { code, output } = await run('start');
    expect(code).toBe(1);
    expect(output).toContain('no broker');
    expect(output).toContain('closed first-opened');
  });

  test('whose configuration is wrong says so plainly and ends with 78', async () => {
    const { code, output } = await run('config');
    expect(code).toBe(78);
    expect(output).toContain('  - HTTP_PORT is missing (the port).');
  });

  test.each([
    ['uncaught', 'a bug'],
    ['fail', 'the consumer will not restart'],
  ])('in which something breaks (%s) logs it and ends with 1', async (behaviour, said) => {
    const { code, output } = await run(behaviour);
    expect(code).toBe(1);
    expect(output).toMatch(new RegExp(`"level":"fatal".*${said}`));
  });
});
