/** One column: its heading and what it shows of a row. Wide ones are shown with `-o wide` only. */
export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string | number | undefined;
  readonly wide?: boolean;
}

/** Rows as kubectl prints them: headings in capitals, columns three spaces apart, no trailing blanks. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const cells = [
    columns.map((column) => column.title.toUpperCase()),
    ...rows.map((row) => columns.map((column) => clean(String(column.value(row) ?? '')))),
  ];
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => line[index]!.length)));
  return cells
    .map((line) =>
      line
        .map((cell, index) => cell.padEnd(widths[index]!))
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
}

/** What comes from elsewhere must not steer the terminal: control characters are shown as a blank. */
// eslint-disable-next-line no-control-regex -- they are what is looked for
export const clean = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
