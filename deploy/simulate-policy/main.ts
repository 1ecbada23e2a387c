import { BadInput } from './rows.ts';
import { readOptions, simulatePolicy } from './simulate-policy.ts';

try {
  const report = await simulatePolicy(readOptions(process.argv.slice(2)));
  process.stdout.write(`${JSON.stringify(report)}\n`);
} catch (error) {
  if (!(error instanceof BadInput)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
