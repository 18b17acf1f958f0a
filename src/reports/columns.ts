import type { ChalkInstance } from 'chalk';
import CliTable from 'cli-table3';
import { clip, pad, widthOf, wrap } from './layout.js';

export interface Line {
  /** One escaped line each, without colour. */
  readonly cells: readonly string[];
  /** Style of the cells, by place. */
  readonly style: readonly ((text: string) => string)[];
}

/** cli-table3 needs 0.25 ms a row and keeps growing; above this many rows lines are printed one by one, not wrapped. */
const maxTableRows = 200;
const gap = 2;
/** Below this a column is no column. */
const minWidth = 8;
/** A cell that wraps further is cut; the whole text is in the other formats. */
const maxCellLines = 4;

/** Columns under a head line. The last column takes what the others leave. */
export function printColumns(
  head: readonly string[],
  lines: readonly Line[],
  width: number,
  chalk: ChalkInstance,
): readonly string[] {
  const widths = columnWidths(head, lines, width);
  return lines.length > maxTableRows ? printLines(head, lines, widths, chalk) : printTable(head, lines, widths, chalk);
}

function columnWidths(head: readonly string[], lines: readonly Line[], width: number): readonly number[] {
  const natural = head.map((title, column) =>
    lines.reduce((most, { cells }) => Math.max(most, widthOf(cells[column] ?? '')), widthOf(title)),
  );
  const share = Math.max(14, Math.floor(width / 4));
  const fixed = natural.slice(0, -1).map((size) => Math.min(size, share));
  const rest = () => width - fixed.reduce((sum, size) => sum + size + gap, 0);
  // On a narrow screen the widest give way: a line that is too long breaks anywhere.
  while (rest() < 12) {
    const widest = fixed.indexOf(Math.max(...fixed.slice(1)), 1);
    if (widest < 0 || (fixed[widest] ?? 0) <= minWidth) break;
    fixed[widest] = (fixed[widest] ?? 0) - 1;
  }
  return [...fixed, Math.max(minWidth, Math.min(natural.at(-1) ?? 0, rest()))];
}

function printTable(
  head: readonly string[],
  lines: readonly Line[],
  widths: readonly number[],
  chalk: ChalkInstance,
): readonly string[] {
  const table = new CliTable({
    chars: noBorder,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
    colWidths: widths.map((width, column) => (column < widths.length - 1 ? width + gap : width)),
    head: head.map((title) => chalk.dim(title)),
  });
  for (const { cells, style } of lines)
    table.push(
      cells.map((cell, column) =>
        wrap(cell, widths[column] ?? 0, maxCellLines)
          .map((line) => styled(style, column, line))
          .join('\n'),
      ),
    );
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
}

function printLines(
  head: readonly string[],
  lines: readonly Line[],
  widths: readonly number[],
  chalk: ChalkInstance,
): readonly string[] {
  const print = (cells: readonly string[], style: Line['style']) =>
    cells
      .map((cell, column) => {
        const text = clip(cell, widths[column] ?? 0);
        const space = column < cells.length - 1 ? pad('', (widths[column] ?? 0) + gap - widthOf(text)) : '';
        return `${styled(style, column, text)}${space}`;
      })
      .join('')
      .trimEnd();
  return [
    print(
      head,
      head.map(() => chalk.dim),
    ),
    ...lines.map(({ cells, style }) => print(cells, style)),
  ];
}

function styled(style: Line['style'], column: number, text: string): string {
  const paint = style[column];
  return paint && text !== '' ? paint(text) : text;
}

const noBorder = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
};
