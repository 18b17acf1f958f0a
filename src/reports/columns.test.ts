import { Chalk } from 'chalk';
import { expect, it } from 'vitest';
import { printColumns } from './columns.js';
import { widthOf } from './layout.js';

const row = (...cells: string[]) => ({ cells, style: [] });
const long = 'a summary that is much longer than what is left of a narrow screen';

it.each([40, 60, 100])('keeps every line within %i columns', (width) => {
  const head = ['result', 'step', 'hosts', 'what'];
  const few = [row('failed', 'a step with a long name', 'web[01-20].example.com', long), row('ok', 'b', 'all 3', 'c')];
  const many = Array.from({ length: 201 }, () => few[0] ?? row());

  for (const lines of [few, many]) {
    const printed = printColumns(head, lines, width, new Chalk({ level: 0 }));

    expect(printed.filter((line) => widthOf(line) > width)).toEqual([]);
    expect(printed[0]).toMatch(/^result +step +hosts +what$/);
  }
});
