import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { csvLine, textOfCell } from '../src/csv.ts';

test('a line has commas between its cells, and quotes where a cell needs them', () => {
  expect(csvLine(['MUG', 'Mug, "blue"', 3, null, -2, true])).toBe('MUG,"Mug, ""blue""",3,,-2,true\r\n');
});

test('a text that a spreadsheet would run is not run, and comes back as it was', () => {
  for (const text of ['=1+1', '+1', '-1', '@SUM(A1)', '\tx', "'quoted"]) {
    const line = csvLine([text]);
    expect(line.replace(/^"/, '')).toMatch(/^'/);
    expect(textOfCell(line.trimEnd().replace(/^"(.*)"$/s, '$1'))).toBe(text);
  }
  fc.assert(
    fc.property(fc.string(), (text) => {
      const cell = csvLine([text]).slice(0, -2);
      const read = cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell;
      expect(textOfCell(read)).toBe(text);
      expect(read).not.toMatch(/^[=+\-@\t\r]/);
    }),
  );
});
