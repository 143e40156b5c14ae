import type { ReactNode } from 'react';

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => ReactNode;
  /** `number` stands to the right; `wide` takes what room is left; `lead` heads the row's card on a phone. */
  readonly kind?: 'lead' | 'number' | 'wide';
  /** Left out where the screen is narrower than a desk's. */
  readonly deskOnly?: boolean;
}

interface TableProps<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly toneOf?: (row: Row) => string | undefined;
}

/** A table that becomes a list of cards on a phone. The roles are spelled out: `display` would take them away there. */
export function Table<Row>({ caption, columns, rows, keyOf, toneOf }: TableProps<Row>) {
  return (
    <table role="table" className="table">
      <caption className="unseen">{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map(({ title, kind, deskOnly }) => (
            <th key={title} role="columnheader" scope="col" data-kind={kind} data-desk={deskOnly}>
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <tr role="row" key={keyOf(row)} data-tone={toneOf?.(row)}>
            {columns.map(({ title, cell, kind, deskOnly }) => (
              <td key={title} role="cell" data-title={title} data-kind={kind} data-desk={deskOnly}>
                {cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What the rows of a list are called: `{ one: 'order', many: 'orders' }`. */
export interface Noun {
  readonly one: string;
  readonly many: string;
}

interface MoreProps {
  readonly more: (() => void) | undefined;
  readonly loading: boolean;
  readonly shown: number;
  readonly noun: Noun;
}

/** The end of a list: the next page, or that this was all. */
export function More({ more, loading, shown, noun }: MoreProps) {
  return (
    <p className="more">
      <span className="quiet" role="status">
        {shown} {shown === 1 ? noun.one : noun.many} shown{more === undefined ? ': all there are' : ''}
      </span>
      {more === undefined ? null : (
        <button type="button" className="button" onClick={more} disabled={loading}>
          {loading ? 'Reading…' : 'Show more'}
        </button>
      )}
    </p>
  );
}
