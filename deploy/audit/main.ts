import { readOptions, usage, type Options } from './options.ts';
import { Unreachable } from './read/unreachable.ts';
import { printVerdict } from './report.ts';
import { runAudit } from './run.ts';

const noVerdict = 2;

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(noVerdict);
}

function options(): Options {
  try {
    return readOptions(process.argv.slice(2), process.env, '.local/running.json');
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  }
}

const asked = options();
if (asked.help) {
  process.stdout.write(`${usage}\n`);
  process.exit(0);
}
try {
  const verdict = await runAudit(asked, (line) => void process.stderr.write(`${line}\n`));
  const text = asked.json ? JSON.stringify(verdict, null, 2) : printVerdict(verdict).join('\n');
  process.stdout.write(`${text}\n`);
  process.exitCode = verdict.violations.length > 0 ? 1 : 0;
} catch (error) {
  // Whatever it was, it is no violation: exit code 1 says that one was found.
  if (!(error instanceof Unreachable))
    fail(`No verdict, because the auditor failed. ${error instanceof Error ? error.stack : String(error)}`);
  if (asked.json) process.stdout.write(`${JSON.stringify({ unreachable: error.part, message: error.message })}\n`);
  fail(`No verdict. ${error.message}`);
}
