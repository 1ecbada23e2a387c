import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BadInput } from '../rows.ts';
import { readOptions, simulatePolicy } from '../simulate-policy.ts';
import { createSimulation } from '../simulation.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));
const heading = 'at,cause,sku,change\n';
let folder: string;
let movements: string;
let opening: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'simulate-policy-'));
  movements = join(folder, 'M.csv');
  opening = join(folder, 'O.csv');
});
afterAll(() => rm(folder, { recursive: true }));

/** X 20, Y 5, N 3. */
const numbers = ['--real-time-at-or-below', '20', '--significant-units', '5', '--every-nth', '3'];
async function simulate(history: string, openingText = 'sku,available\nMUG,100\nCUP,2\n', flags = numbers) {
  await writeFile(movements, history);
  await writeFile(opening, openingText);
  return simulatePolicy(readOptions(['--movements', movements, '--opening', opening, ...flags]));
}
const nothing = { transactions: 0, pushes: 0, byReason: {}, mostOverShown: 0, overShownAtOrBelowThreshold: 0 };

describe('what a policy would have done', () => {
  test('every reason is counted by its name, and what is shown falls behind in between', async () => {
    const history = ['t1,order,MUG,-1', 't2,order,MUG,-1', 't3,order,MUG,-1', 't4,order,MUG,-5', 't5,order,CUP,-1', 't6,order,CUP,-1'];
    expect(await simulate(heading + history.join('\n'))).toEqual({
      transactions: 6,
      pushes: 4,
      byReason: { every_nth: 1, significant_change: 1, at_or_below_threshold: 1, crossed_zero: 1 },
      mostOverShown: 2,
      overShownAtOrBelowThreshold: 0,
    });
  });
  test('a history without rows pushes nothing', async () => {
    expect(await simulate(heading)).toEqual(nothing);
  });
  test('a change of 0 is not a transaction, and does not count towards N', async () => {
    const rows = ['MUG,-1', 'MUG,0', 'MUG,-1', 'MUG,0', 'MUG,0'].map((row) => `t,c,${row}\n`);
    expect(await simulate(heading + rows.join(''))).toEqual({ ...nothing, transactions: 2, mostOverShown: 2 });
  });
  test('rows with the same cause are transactions of their own', async () => {
    const { transactions, byReason } = await simulate(`${heading}${'t,same,MUG,-1\n'.repeat(3)}`);
    expect({ transactions, byReason }).toEqual({ transactions: 3, byReason: { every_nth: 1 } });
  });
  test('a level below zero is shown as 0: going deeper does not show more than there is', async () => {
    const { mostOverShown, byReason } = await simulate(`${heading}t,c,CUP,-5\nt,c,CUP,-50\n`);
    expect({ mostOverShown, byReason }).toEqual({ mostOverShown: 0, byReason: { crossed_zero: 1, at_or_below_threshold: 1 } });
  });
  test('CRLF, LF and a mixture of them read the same', async () => {
    const rows = [heading.trim(), 't,c,MUG,-1', 't,c,CUP,-2'];
    const expected = await simulate(rows.join('\n'));
    expect(expected.transactions).toBe(2);
    expect(await simulate(rows.join('\r\n'), 'sku,available\r\nMUG,100\r\nCUP,2\r\n')).toEqual(expected);
    expect(await simulate(`${rows[0]}\n${rows[1]}\r\n${rows[2]}\n`)).toEqual(expected);
  });
  test('quoted fields may hold commas, quotes and line breaks', async () => {
    const history = `${heading}"1 Dec, morning","order ""7""\r\nsecond line","MUG, ""large""",-7\n`;
    expect(await simulate(history, 'sku,available\n"MUG, ""large""",100\n')).toMatchObject({ byReason: { significant_change: 1 } });
  });
  test('SKUs are told apart byte for byte', async () => {
    expect(await simulate(`${heading}t,c,mug,-1\nt,c, MUG,-1\n`, 'sku,available\nmug,1\n MUG,1\nMUG,5\n')).toMatchObject({
      byReason: { crossed_zero: 2 },
    });
  });
  test('without X every change is pushed, and N is 10', async () => {
    expect(await simulate(`${heading}t,c,MUG,-1\n`, undefined, [])).toMatchObject({ byReason: { at_or_below_threshold: 1 } });
    expect(await simulate(heading + 't,c,MUG,-1\n'.repeat(10), undefined, numbers.slice(0, 2))).toMatchObject({
      byReason: { every_nth: 1 },
    });
  });
});

describe('a bad row stops it, and is named', () => {
  const inMovements: [what: string, row: string, expected: string][] = [
    ['a change that is no number', 't,c,MUG,many', 'line 3: change is a whole number, not "many".'],
    ['half a unit', 't,c,MUG,1.5', 'line 3: change is a whole number'],
    ['a change that is left out', 't,c,MUG,', 'line 3: change is a whole number'],
    ['a change with a blank', 't,c,MUG, 1', 'line 3: change is a whole number'],
    ['a change beyond counting', 't,c,MUG,99999999999999999999', 'line 3: change is a whole number'],
    ['an empty time', ',c,MUG,1', 'line 3: the column at is empty.'],
    ['a SKU that the opening misses', 't,c,POT,1', 'line 3: the SKU "POT" is missing from'],
    ['a SKU that the opening misses, with no change', 't,c,POT,0', 'line 3: the SKU "POT" is missing from'],
    ['a field too few', 't,c,MUG', 'line 3: 4 fields are expected, not 3.'],
    ['a field too many', 't,c,MUG,1,2', 'line 3: 4 fields are expected, not 5.'],
    ['an empty line', '', 'line 3: 4 fields are expected, not 1.'],
    ['a quote within a field', 't,c,M"UG,1', 'line 3: this is not CSV as RFC 4180 has it'],
    ['a quote that is never closed', 't,c,"MUG,1', 'this is not CSV as RFC 4180 has it'],
  ];
  test.each(inMovements)('%s', async (_, row, expected) => {
    const run = simulate(`${heading}t,c,MUG,1\n${row}\nt,c,MUG,1\n`);
    await expect(run).rejects.toThrow(BadInput);
    await expect(run).rejects.toThrow(expected);
  });
  test.each([
    ['a SKU twice', 'MUG,1\nMUG,1', 'line 3: the SKU MUG stands here a second time.'],
    ['a level that is no number', 'MUG,1\nCUP,few', 'line 3: available is a whole number, not "few".'],
    ['a blank SKU', 'MUG,1\n,1', 'line 3: a SKU is expected.'],
  ])('in the opening: %s', async (_, rows, expected) => {
    await expect(simulate(heading, `sku,available\n${rows}\n`)).rejects.toThrow(expected);
  });
  test('the line named is the one that the row begins on, after rows of several lines', async () => {
    await expect(simulate(`${heading}t,"two\nlines",MUG,1\nt,c,MUG,x\n`)).rejects.toThrow('line 4:');
  });
  test('a wrong heading, and an empty file', async () => {
    await expect(simulate('at,cause,change,sku\n')).rejects.toThrow('line 1: the heading at,cause,sku,change is expected');
    await expect(simulate('')).rejects.toThrow('line 1: the heading at,cause,sku,change is expected, and the file is empty.');
  });
  test.each([
    ['--significant-units', '0'],
    ['--every-nth', '0'],
    ['--every-nth', 'x'],
    ['--real-time-at-or-below', '1.5'],
    ['--fast', '1'],
  ])('%s %s', async (...flags) => {
    await expect(simulate(heading, undefined, flags)).rejects.toThrow('Usage:');
  });
});

/** The command as people run it. */
function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...args], (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

describe('the command', () => {
  test('prints one JSON object and nothing else', async () => {
    await writeFile(movements, `${heading}t,c,MUG,-5\n`);
    await writeFile(opening, 'sku,available\nMUG,100\n');
    const { code, stdout, stderr } = await run('--movements', movements, '--opening', opening, ...numbers);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(
      '{"transactions":1,"pushes":1,"byReason":{"significant_change":1},"mostOverShown":0,"overShownAtOrBelowThreshold":0}\n',
    );
  });
  test('exits 2 and names the line of a bad row, or the file that is not there', async () => {
    await writeFile(movements, `${heading}t,c,POT,-5\n`);
    await writeFile(opening, 'sku,available\nMUG,100\n');
    const bad = await run('--movements', movements, '--opening', opening, ...numbers);
    expect(bad).toMatchObject({ code: 2, stdout: '' });
    expect(bad.stderr).toContain('M.csv, line 2:');
    const missing = await run('--movements', join(folder, 'none.csv'), '--opening', opening, ...numbers);
    expect(missing).toMatchObject({ code: 2, stdout: '' });
    expect(missing.stderr).toContain('none.csv cannot be read');
  });
  test('half a million rows take seconds', async () => {
    const skus = Array.from({ length: 1000 }, (_, index) => `SKU-${index}`);
    await writeFile(opening, `sku,available\n${skus.map((sku) => `${sku},500\n`).join('')}`);
    const rows = Array.from(
      { length: 500_000 },
      (_, index) => `2010-12-01 08:26:00,order ${index},${skus[(index * 7919) % 1000]},${(index % 7) - 3}\n`,
    );
    await writeFile(movements, heading + rows.join(''));
    const started = performance.now();
    const { code, stdout } = await run('--movements', movements, '--opening', opening, ...numbers);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ transactions: 428_571 });
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

test('at or below X nothing is ever over-shown, and above it by at most (N − 1)(Y − 1) units', () => {
  const aPolicy = fc.record({
    realTimeAtOrBelow: fc.integer({ min: 0, max: 20 }),
    significantUnits: fc.integer({ min: 1, max: 6 }),
    everyNth: fc.integer({ min: 1, max: 6 }),
  });
  const changes = fc.array(
    fc.integer({ min: -8, max: 8 }).filter((change) => change !== 0),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(aPolicy, fc.integer({ min: 0, max: 60 }), changes, (policy, available, history) => {
      const simulation = createSimulation(policy, [['MUG', available]]);
      for (const change of history) simulation.apply('MUG', change);
      const report = simulation.report();
      expect(report.transactions).toBe(history.length);
      expect(report.overShownAtOrBelowThreshold).toBe(0);
      expect(report.mostOverShown).toBeLessThanOrEqual((policy.everyNth - 1) * (policy.significantUnits - 1));
    }),
  );
});
