import { stringify } from 'yaml';
import { table, type Column } from './table.ts';

export const FORMATS = ['table', 'wide', 'json', 'jsonl', 'yaml', 'name'] as const;
export type Format = (typeof FORMATS)[number];

/** Data goes to stdout in the format that was asked for; everything else goes to stderr. */
export class Printer {
  readonly format: Format;
  readonly #out: (text: string) => void;
  readonly #err: (text: string) => void;

  constructor(format: Format, streams: { out: (text: string) => void; err: (text: string) => void }) {
    this.format = format;
    this.#out = streams.out;
    this.#err = streams.err;
  }

  get isJson(): boolean {
    return this.format === 'json' || this.format === 'jsonl';
  }

  /** A list; `empty` is said on stderr where it has no row, so that pipes stay clean. */
  rows<Row>(
    rows: readonly Row[],
    view: { columns: readonly Column<Row>[]; name: (row: Row) => string; empty: string },
  ): void {
    switch (this.format) {
      case 'json':
        return this.#out(`${JSON.stringify({ items: rows }, undefined, 2)}\n`);
      case 'jsonl':
        for (const row of rows) this.#out(`${JSON.stringify(row)}\n`);
        return;
      case 'yaml':
        return this.#out(stringify({ items: rows }));
      case 'name':
        for (const row of rows) this.#out(`${view.name(row)}\n`);
        return;
      case 'table':
      case 'wide': {
        if (rows.length === 0) return this.say(view.empty);
        const columns = view.columns.filter((column) => this.format === 'wide' || column.wide !== true);
        return this.#out(`${table(rows, columns)}\n`);
      }
      default:
        return this.format satisfies never;
    }
  }

  /** One object; as text for people where no machine format was asked for. */
  object<T extends object>(object: T, view: { text: string; name: string }): void {
    switch (this.format) {
      case 'json':
        return this.#out(`${JSON.stringify(object, undefined, 2)}\n`);
      case 'jsonl':
        return this.#out(`${JSON.stringify(object)}\n`);
      case 'yaml':
        return this.#out(stringify(object));
      case 'name':
        return this.#out(`${view.name}\n`);
      case 'table':
      case 'wide':
        return this.#out(`${view.text.trimEnd()}\n`);
      default:
        return this.format satisfies never;
    }
  }

  /** Text that is the data itself: a certificate, a completion script. */
  text(text: string): void {
    this.#out(text.endsWith('\n') ? text : `${text}\n`);
  }

  /** For people: stderr. */
  say(text: string): void {
    this.#err(`${text}\n`);
  }
}
