import { readRunning } from '../running.ts';
import { runDemo } from './demo.ts';

const addresses = readRunning();
if (!addresses) throw new Error('Nothing runs here: npm start starts everything, the demo seller too.');
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());
await runDemo({
  addresses,
  signal: stopping.signal,
  say: (line) => process.stdout.write(`${new Date().toISOString()} ${line}\n`),
});
process.exit(0);
